/**
 * The errors of whole runs: what stands as `error` in a record and a report. Files that are refused by the check have
 * theirs with the reasons (`textFile/fileReasons.ts`, `configurationsFile/configurationReasons.ts`), hubs that refuse a
 * call in `registry`; `docs/outcomes.md` lists all.
 */

import { type CodeText, speakerOf } from '../../codeText.ts';

const CORRECT_OPTIONS =
  'Correct it and drop the devices file again. Example: {"importMode": "create", "dryRun": true}' as const;
const LOOK_FIRST = 'A job may have been started: look at its devices in the hub';

export const RUN_ERRORS = {
  'cancelled:beforeSend': {
    says: 'The run was cancelled before anything was sent to the hub.',
    doc: { action: 'Drop the file again if that was not meant.' },
  },
  'cancelled:inDoubt': {
    says: 'The run was cancelled while its import job was being started; the hub shows no such job.',
    doc: { action: 'Drop the file again if that was not meant.' },
  },
  'cancelled:afterStart': {
    says: 'The run was cancelled after its job had started on the hub.',
    doc: { action: 'Look at the report; drop failed-devices.txt if the cancel was not meant.' },
  },
  'confirmationNeeded:danger': {
    says: 'The file would {danger}: nothing was sent to the hub.{wrong}',
    action: 'If you mean it, drop the file again with the option confirm set to the name of the hub, {hub}.',
    doc: {
      says: 'The file would delete or disable more than 100 devices and more than a tenth of the registry: nothing was sent to the hub.',
    },
  },
  'confirmationNeeded:noCopy': {
    says: 'With backupFirst never, nothing that the file overwrites or deletes is copied first, and nothing of it can be put back: nothing was sent to the hub.{wrong}',
    action:
      'If you mean it, drop the file again with the option confirm set to the name of the hub, {hub}; else leave backupFirst out.',
  },
  dropDeleted: {
    says: 'The file {file} was deleted before its run could send it to the hub.',
    action: 'Nothing was changed in the hub. Drop the file again if you still want it.',
  },
  'dropDeleted:applied': {
    says: 'The file {file} that is to be applied is not there.',
    action: 'Nothing was changed in the hub.',
  },
  dropReplaced: {
    says: 'The file {file} was replaced before its run could send it to the hub.',
    action: 'Nothing was changed in the hub by this run. The new content has a run of its own.',
  },
  dropStale: {
    says: 'The file was older than {days} days (DROP_MAX_AGE_DAYS) when it was first seen: it is listed, not run.',
    action: 'Drop a fresh copy of the file if you still want it.',
  },
  'hubUnknown:path': {
    says: '{problem}',
    action: 'Drop the file into the folder of its hub (with the command line: --hub ALIAS).',
    doc: { says: 'Several hubs are configured, and the path of the file names none of them.' },
  },
  'hubUnknown:metadata': {
    says: 'The file is meant for {hub}, which is not configured. Configured: {hubs}.',
    action: 'Name a configured hub, or configure that one (IOTHUB__<alias>).',
  },
  'hubUnknown:applied': {
    says: 'The file {file} is to be applied to the hub {hub}, which is not configured. Configured: {hubs}.',
    action: 'Configure that one (IOTHUB__<alias>).',
  },
  invalidLines: {
    says: '{invalid}, and onInvalidLine is abort: nothing is sent to the hub.',
    action: 'Correct these lines and drop the file again, or set onInvalidLine to skip.',
    doc: { says: 'A line is invalid, and onInvalidLine is abort: nothing is sent to the hub.' },
  },
  'invalidLines:configurations': {
    says: '{invalid}, and onInvalidLine is abort: nothing is sent to the hub.',
    action: 'Correct configurations.txt and drop the devices file again, or set onInvalidLine to skip.',
    doc: { says: 'A configuration is invalid, and onInvalidLine is abort: nothing is sent to the hub.' },
  },
  optionsInvalid: {
    says: 'The options in {source} cannot be used: {problems}.',
    action: 'Known options: {options}. Correct them and drop the file again.',
  },
  'optionsNotJson:syntax': { says: '{file} is not valid JSON.', action: CORRECT_OPTIONS },
  'optionsNotJson:object': { says: '{file} must hold one JSON object.', action: CORRECT_OPTIONS },
  optionsTwice: {
    says: '{file} has the option {option} more than once.',
    action: 'Keep one of them, and drop the devices file again.',
  },
  preImageFailed: {
    says: 'What the file would overwrite could not be read from the hub: the export job {why}.',
    action: 'Nothing was sent to the hub. Drop the file again; if it fails again, look at the jobs of the hub.',
  },
  startGivenUp: {
    says: 'The job could not be started, and nothing was sent to the hub.',
    action: 'Drop the file again.',
    retried: true,
  },
  'stagingLost:unsent': {
    says: 'The notes of the run were deleted again and again while it ran (container {container}).',
    action: 'Nothing was sent to the hub. Find out who deletes the container, then drop the file again.',
    retried: true,
  },
  'stagingLost:sent': {
    says: 'The notes of the run were deleted again and again while it ran (container {container}).',
    action: 'Look at the devices in the hub, find out who deletes the container, then drop the file again.',
    retried: true,
  },
  'stagingLost:unlisted': {
    says: 'The notes of the run were deleted while it ran (container {container}), and the file is gone or has changed. Whether its {count} lines were applied is unknown.',
    action:
      'Look at the devices in the hub{job}, or drop the file again in a mode that is safe to repeat, such as createOrUpdate.',
    retried: true,
  },
  'stepFailed:unsent': {
    says: 'A step of the run kept failing: {error}',
    action: 'Nothing was sent to the hub. Fix the cause and drop the file again.',
    retried: true,
  },
  'stepFailed:sent': {
    says: 'A step of the run kept failing: {error}',
    action: `${LOOK_FIRST}, fix the cause and drop the file again.`,
    retried: true,
  },
  'stepFailed:afterImport': {
    says: 'A step after the import job kept failing: {error}',
    action: 'The report says what is known of each line. Fix the cause, then drop failed-devices.txt.',
    retried: true,
  },
  tooManyRejects: {
    says: '{invalid}, more than maxRejects ({most}) allows: nothing is sent to the hub.',
    action: 'Correct these lines and drop the file again, or raise maxRejects.',
    doc: { says: 'More lines are invalid than maxRejects allows: nothing is sent to the hub.' },
  },
  turnTimeout: {
    says: 'The run waited for its turn for {hours} hours; {ahead}.',
    action:
      'See what the other runs of this hub do (runs on the command line, GET /api/runs), then drop the file again.',
    doc: { says: 'The run waited for its turn longer than TURN_TIMEOUT_HOURS.' },
  },
  unexpected: {
    says: '{error}',
    doc: { says: 'An error without a code of its own.', action: 'Read the message, and the log of the app.' },
  },
} as const satisfies Record<string, CodeText>;

/** The error of a run, out of the table. */
export const runError = speakerOf(RUN_ERRORS);

/** What to do about a run whose import may have been sent: whatever its error advises may rest on nothing being sent. */
export const LOOK_BEFORE_DROPPING = `${LOOK_FIRST}, then drop the file again.`;
