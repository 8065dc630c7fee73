/**
 * The codes of our own in verdicts on lines and in errors of runs: what happened and what to do, in general words. What
 * a run says is more exact. Reasons of the checks stand with them (`devicesFile/reasons.ts`,
 * `configurationsFile/configurationReasons.ts`), errors of a hub in `registry/errorCodes.ts`; `docs/outcomes.md` lists all.
 */

export interface OutcomeCode {
  readonly says: string;
  readonly action: string;
  /** Whether the app tries again by itself before it says so. */
  readonly retried: 'yes' | 'no';
}

const LOOK_OR_REPEAT =
  'Look the device up in the hub, or drop the line again in a mode that may be repeated, such as createOrUpdate.';

/** Of single lines. */
export const OUTCOME_CODES = {
  checkWarning: { says: 'Imported, with a remark of the check.', action: 'Read the reason.', retried: 'no' },
  dryRun: {
    says: 'Dry run: nothing was sent to the hub. The reason says what would happen to the line.',
    action: 'Drop the file again without dryRun.',
    retried: 'no',
  },
  jobCancelled: {
    says: 'The import job was cancelled. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  jobFailed: {
    says: 'The import job failed as a whole. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  jobNotEnded: {
    says: 'The import job did not end before its deadline, or the hub forgot it. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  jobAmbiguous: {
    says: "The reply to the job's start was lost, and of several jobs any could be the one. The registry could not be read afterwards, so whether the line was applied is not known.",
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  stagingLost: {
    says: 'What the run had noted of its lines was deleted while it ran. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  logMissing: {
    says: 'The import job left no error log. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  logUnclear: {
    says: 'The error log holds errors that name no device. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  existsOtherwise: {
    says: "A line that creates was sent more than once, and then the id existed, without the twin that the line asks for: this run may have made it and lost its twin, or it is somebody else's.",
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  twinChanged: {
    says: 'The twin that an updateTwin line was merged into was changed by somebody else while the run was under way, and there was no time left to merge it again. Nothing of the line was applied.',
    action: 'Drop failed-devices.txt to have it merged into the twin as it is now.',
    retried: 'yes',
  },
  keysNotRemoved: {
    says: 'The line was applied, but keys that were to go from the twin may still be there: the run ended before they were removed.',
    action: 'Drop failed-devices.txt to have them removed.',
    retried: 'yes',
  },
  hubTrouble: {
    says: 'The hub had trouble with the line each time it was sent. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  replyLost: {
    says: 'The line was sent once more, and the reply of the hub was lost. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  sentTwice: {
    says: 'The line was sent more than once, and the error may be of its own making. The registry could not be read afterwards, so whether the line was applied is not known.',
    action: LOOK_OR_REPEAT,
    retried: 'yes',
  },
  readBack: {
    says: 'Neither job nor reply told what became of the line; the registry was read, and it is as the line asks.',
    action: 'Nothing.',
    retried: 'no',
  },
  ParentNotFound: {
    says: 'The device is as the line says, but for its parent: the parent is not in the registry.',
    action: 'Create the parent, or correct "parent"; then drop failed-devices.txt.',
    retried: 'no',
  },
  ParentNotEdge: {
    says: 'The device is as the line says, but for its parent: the parent is no edge device.',
    action: 'Make the parent an edge device, or correct "parent"; then drop failed-devices.txt.',
    retried: 'no',
  },
  ParentCycle: {
    says: 'The device is as the line says, but for its parent: it would be above itself.',
    action: 'Correct "parent" of one of the devices of the circle; then drop failed-devices.txt.',
    retried: 'no',
  },
  ParentTooDeep: {
    says: 'The device is as the line says, but for its parent: a hub takes five edge devices above another at most.',
    action: 'Give it a parent that is higher up; then drop failed-devices.txt.',
    retried: 'no',
  },
  ParentNotSet: {
    says: 'The device is as the line says, but for its parent: the run ended before that, or the registry could not be read.',
    action: 'Drop failed-devices.txt to have it done.',
    retried: 'yes',
  },
  contentImmutable: {
    says: 'The configuration exists with other content, which a hub never changes: it was not sent, and stays as it is.',
    action: 'Give it a new id, with a higher priority, and delete the old one once the new one is applied.',
    retried: 'no',
  },
  contentKept: {
    says: 'The configuration was made with other content while the run went on, and a hub never changes the content of one; the rest of the line may have been taken over.',
    action: 'Give it a new id, with a higher priority, and delete the old one once the new one is applied.',
    retried: 'no',
  },
  notApplied: {
    says: 'The registry was read after the job: it is not as the line asks.',
    action: 'Drop it again to have it done: failed-devices.txt, or the devices file with its configurations.',
    retried: 'yes',
  },
  noDeviceLines: {
    says: 'Configurations travel with an import of devices, and the devices file has no line to import: they were not sent.',
    action: 'Drop the devices file with at least one valid line.',
    retried: 'no',
  },
  registryUnreadable: {
    says: 'The configurations of the hub could not be read; whether the line was applied is not known.',
    action: 'Look the configuration up in the hub, or drop the file again.',
    retried: 'yes',
  },
} as const satisfies Record<string, OutcomeCode>;

/** Of whole runs: their error in the record and the report. */
export const RUN_ERROR_CODES = {
  cancelled: {
    says: 'A person cancelled the run.',
    action: 'Drop the file again if that was not meant.',
    retried: 'no',
  },
  confirmationNeeded: {
    says: 'The file would delete or disable more than a tenth of the registry.',
    action: 'Set the option confirm to the name of the hub.',
    retried: 'no',
  },
  dropDeleted: {
    says: 'The file was deleted before its run could send it.',
    action: 'Drop it again if it is still wanted.',
    retried: 'no',
  },
  dropReplaced: {
    says: 'The file was replaced before its run could send it.',
    action: 'Nothing: the new content has a run of its own.',
    retried: 'no',
  },
  dropStale: {
    says: 'The file was older than DROP_MAX_AGE_DAYS when it was first seen.',
    action: 'Upload it again if it is still wanted.',
    retried: 'no',
  },
  hubUnknown: {
    says: 'The path or the metadata of the file names no configured hub.',
    action: 'Drop it into the folder of a configured hub.',
    retried: 'no',
  },
  invalidLines: {
    says: 'A line is invalid, and onInvalidLine is abort.',
    action: 'Correct it, or set onInvalidLine to skip.',
    retried: 'no',
  },
  optionsInvalid: { says: 'An option is unknown or has a wrong value.', action: 'Correct the options.', retried: 'no' },
  optionsTwice: { says: 'options.json has an option more than once.', action: 'Leave one of them.', retried: 'no' },
  optionsNotJson: { says: 'options.json is not one JSON object.', action: 'Correct it.', retried: 'no' },
  orchestrationLost: {
    says: 'The orchestration of the run was lost several times.',
    action: 'Look at the log of the app, and drop the file again.',
    retried: 'yes',
  },
  preImageFailed: {
    says: 'What the file would overwrite could not be read from the hub.',
    action: 'Drop the file again; look at the jobs of the hub if it happens again.',
    retried: 'no',
  },
  startGivenUp: {
    says: 'The job could not be started; nothing was sent.',
    action: 'Drop the file again.',
    retried: 'yes',
  },
  stagingLost: {
    says: 'What the run keeps in its container was deleted while it ran, and its lines cannot be had any more; or it was deleted again and again.',
    action:
      'See who deletes it, look at the devices in the hub, and drop the file again in a mode that may be repeated.',
    retried: 'yes',
  },
  stepFailed: {
    says: 'A step of the run failed again and again.',
    action: 'Mend the cause that the message names, and drop the file again.',
    retried: 'yes',
  },
  tooManyRejects: {
    says: 'More lines are invalid than maxRejects allows.',
    action: 'Correct them, or raise maxRejects.',
    retried: 'no',
  },
  turnTimeout: {
    says: 'The run waited for its turn longer than TURN_TIMEOUT_HOURS.',
    action: 'Drop the file again when the hub has less to do.',
    retried: 'no',
  },
  unexpected: {
    says: 'An error without a code of its own.',
    action: 'Read the message, and the log of the app.',
    retried: 'no',
  },
} as const satisfies Record<string, OutcomeCode>;

/** Of calls to a hub that it did not answer, or that were never sent. */
export const CALL_CODES = {
  CredentialFailed: {
    says: 'No token for the hub could be had.',
    action: 'Check the managed identity of the app and its roles on the hub.',
    retried: 'yes',
  },
  InvalidReply: {
    says: 'The reply is none that a hub gives.',
    action: 'Check the host name, and that no proxy answers in its place.',
    retried: 'no',
  },
  HubKeeperFault: {
    says: 'HubKeeper itself failed on this line; the hub and the network have no part in it.',
    action: 'Correct the line if something is unusual about it, and report it to the maintainers of HubKeeper.',
    retried: 'no',
  },
  NetworkError: {
    says: 'The hub could not be reached.',
    action: 'Check the host name in the connection string, and the network.',
    retried: 'yes',
  },
  Timeout: { says: 'The hub gave no answer in time.', action: 'Nothing, unless it lasts.', retried: 'yes' },
  Unknown: {
    says: 'The hub gave an error without a code that could be read.',
    action: 'Look the line up in the hub, and drop it again.',
    retried: 'no',
  },
  bulkTooLarge: {
    says: 'A bulk call has more than 100 items.',
    action: 'Nothing: please report it.',
    retried: 'no',
  },
  connectionStringInvalid: {
    says: 'The connection string of the hub cannot be read.',
    action: 'Copy it again from the portal.',
    retried: 'no',
  },
  hubCredentialMissing: {
    says: 'The hub is configured by host name, and the app has no identity for it.',
    action: 'Give the app a managed identity, or configure a connection string.',
    retried: 'no',
  },
  idNotAddressable: {
    says: 'An id such as "." cannot stand in an address.',
    action: 'Use an import job for it, or rename the device.',
    retried: 'no',
  },
  queryTooLong: { says: 'The query is longer than a hub takes.', action: 'Shorten it.', retried: 'no' },
  settingsInvalid: { says: 'Settings of the app are missing or wrong.', action: 'Correct those named.', retried: 'no' },
} as const satisfies Record<string, OutcomeCode>;

/** Of replies of the HTTP API. */
export const API_CODES = {
  limitInvalid: { says: 'limit is out of range.', action: 'Correct it.', retried: 'no' },
  recordDamaged: {
    says: 'The record of the run cannot be read. Nothing is done for the run, and its file is not run again.',
    action: 'Restore an earlier version of the record, or drop a fresh copy of the file.',
    retried: 'no',
  },
  runEnded: { says: 'The run has ended already.', action: 'Nothing.', retried: 'no' },
  runIdInvalid: {
    says: 'The id of a run has 20 characters, 0 to 9 and a to f.',
    action: 'Look at the list of runs.',
    retried: 'no',
  },
  runNotFound: { says: 'There is no run of this id.', action: 'Look at the list of runs.', retried: 'no' },
  runNotStarted: { says: 'The run has not been started yet.', action: 'Try again in a moment.', retried: 'no' },
  runNotSuspended: { says: 'The run is not suspended.', action: 'Nothing.', retried: 'no' },
} as const satisfies Record<string, OutcomeCode>;
