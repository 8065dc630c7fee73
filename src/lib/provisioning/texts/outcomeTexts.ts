/**
 * What is said of a line of a run: every code that the run itself gives, once. Reasons of the checks stand with them
 * (`devicesFile/reasons.ts`, `configurationsFile/configurationReasons.ts`), errors of a hub in `registry/errorCodes.ts`;
 * `docs/outcomes.md` lists all.
 */

import { type CodeOf, type CodeText, type Filling, speakerOf } from '../../codeText.ts';
import { defined } from '../../defined.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import type { Outcome } from '../../runs/runRecord.ts';

export interface OutcomeText extends CodeText {
  readonly outcome: Outcome;
}

const RETRY_LINE =
  'Look up the device in the hub, or drop the line again in a mode that is safe to repeat, such as createOrUpdate.';
const LOOK_UP_CONFIGURATION = 'Look up the configuration in the hub, or drop the file again.';
const NEW_ID = 'Give it a new id with a higher priority, and delete the old one once the new one is applied.';

/**
 * Why what is known of a line does not tell what became of it. A line that stays in doubt is `unconfirmed`: the sentence
 * goes on with one of `UNKNOWN`.
 */
export const DOUBTS = {
  jobCancelled: { says: 'The import job was cancelled.', retried: true },
  jobFailed: { says: 'The import job failed as a whole{words}.', retried: true },
  jobNotEnded: {
    says: 'The import job did not end before its deadline, or the hub forgot it.',
    retried: true,
  },
  jobAmbiguous: {
    says: 'The reply to the start of the job was lost, and several jobs could be the one that it started.',
    retried: true,
  },
  stagingLost: { says: 'The notes of the run about its lines were deleted while it ran.', retried: true },
  logMissing: { says: 'The import job left no error log.', retried: true },
  logUnclear: { says: 'The error log has {errors} without a device ({codes}).', retried: true },
  existsOtherwise: {
    says: 'The id exists without the twin that the line asks for, and this run may have created it.',
    retried: true,
  },
  hubTrouble: { says: 'The hub had trouble with this line each time it was sent.', retried: true },
  replyLost: { says: 'The reply of the hub was lost.', retried: true },
  sentTwice: {
    says: 'The line was sent more than once, so its error may come from the run itself.',
    retried: true,
  },
} as const satisfies Record<string, CodeText>;

export type DoubtCode = keyof typeof DOUBTS;

/** How the sentence of a doubt ends. */
const UNKNOWN = {
  unread: 'Whether this line was applied is unknown, because the registry could not be read afterwards.',
  read: 'Whether this line was applied is unknown.',
  more: 'Whether this line was applied is unknown: the registry has all that the line gives, and more in the same section of the twin.',
} as const;

export const OUTCOME_TEXTS = {
  checkWarning: {
    outcome: 'succeededWithWarning',
    says: '{warning}',
    doc: { says: 'Imported, with a remark of the check.', action: 'Read the reason.' },
  },
  dryRun: {
    outcome: 'skipped',
    says: '{plan}',
    doc: {
      says: 'Dry run: nothing was sent to the hub. The reason says what would happen to the line.',
      action: 'Drop the file again without dryRun.',
    },
  },
  readBack: {
    outcome: 'succeeded',
    says: 'Verified in the registry afterwards: it is as the line asks.',
    doc: {
      says: 'Neither job nor reply told what became of the line, so it was verified in the registry: it is as the line asks.',
    },
  },
  twinChanged: {
    outcome: 'failed',
    says: 'Somebody else changed the twin while the run was under way. Nothing of the line was applied.',
    action: 'Drop failed-devices.txt to merge the line into the twin as it is now.',
    retried: true,
    doc: {
      says: 'Somebody else changed the twin that an updateTwin line was merged into while the run was under way, and there was no time left to merge it again. Nothing of the line was applied.',
    },
  },
  keysNotRemoved: {
    outcome: 'failed',
    says: 'The line was applied, but keys that it removes may still be in the twin: the run ended before they were removed.{error}',
    action: 'Drop failed-devices.txt to remove them.',
    doc: {
      says: 'The line was applied, but keys that it removes may still be in the twin: the run ended before they were removed.',
    },
    retried: true,
  },
  ParentNotFound: {
    outcome: 'failed',
    says: 'The device is as the line asks, except for its parent: the parent is not in the registry.',
    action: 'Create the parent, or correct "parent"; then drop failed-devices.txt.',
  },
  ParentNotEdge: {
    outcome: 'failed',
    says: 'The device is as the line asks, except for its parent: the parent is not an edge device.',
    action: 'Give the parent "capabilities": {"iotEdge": true}, or correct "parent"; then drop failed-devices.txt.',
  },
  ParentCycle: {
    outcome: 'failed',
    says: 'The device is as the line asks, except for its parent: it would become its own ancestor.',
    action: 'Correct "parent" of one of the devices of the circle; then drop failed-devices.txt.',
  },
  ParentTooDeep: {
    outcome: 'failed',
    says: 'The device is as the line asks, except for its parent: a hub allows at most five edge devices above another.',
    action: 'Give it a parent that is higher up; then drop failed-devices.txt.',
  },
  ParentNotSet: {
    outcome: 'failed',
    says: 'The device is as the line asks, except for its parent: the run ended before it was set, or the registry could not be read.',
    action: 'Drop failed-devices.txt to set it.',
    retried: true,
  },
  'ParentNotSet:error': {
    outcome: 'failed',
    says: 'The device is as the line asks, except for its parent: {error}',
    action: 'Drop failed-devices.txt to retry it.',
  },
  'DeviceNotFound:linked': {
    outcome: 'failed',
    says: 'The line was applied, but its parent was not set: the device is not in the registry any more.',
    action: 'Drop failed-devices.txt to create it again.',
  },
  'DeviceNotFound:created': {
    outcome: 'failed',
    says: 'The hub says that there is no such device, although the line creates it.',
    action:
      'Drop failed-devices.txt. If the same device fails again, the trouble is in the hub: delete the device and create it anew, or open an Azure support request with the id of the job.',
  },
  'DeviceNotFound:ofModule': {
    outcome: 'failed',
    says: 'The device of this module is not in the registry.',
    action: 'Create the device first; it may be in the same file.',
  },
  'ModuleNotFound:created': {
    outcome: 'failed',
    says: 'The hub says that there is no such module, although the line creates it.',
    action:
      'Drop failed-devices.txt. If the same module fails again, the trouble is in the hub: delete the module and create it anew, or open an Azure support request with the id of the job.',
  },
  notApplied: {
    outcome: 'failed',
    says: '{doubt} The line was verified in the registry afterwards: it is not as the line asks.{partly}',
    action: 'Drop failed-devices.txt to apply it.',
    retried: true,
    doc: { says: 'The line was verified in the registry after the job: it is not as the line asks.' },
  },
  'notApplied:configuration': {
    outcome: 'failed',
    says: '{why}, and {difference}.',
    action: 'Drop the devices file again with its configurations.',
    retried: true,
    doc: { says: 'The configuration was verified in the hub after the job: it is not as the line asks.' },
  },
  contentImmutable: {
    outcome: 'failed',
    says: 'The configuration exists with other content, which a hub never changes. It was not sent, and stays as it is.',
    action: NEW_ID,
  },
  contentKept: {
    outcome: 'failed',
    says: 'Somebody else created the configuration with other content while the run was under way, and a hub never changes the content of one. The rest of the line may have been applied.',
    action: NEW_ID,
  },
  noDeviceLines: {
    outcome: 'failed',
    says: 'Configurations travel with an import of devices, and the devices file has no line to import. They were not sent.',
    action: 'Drop the devices file with at least one valid line.',
  },
  registryUnreadable: {
    outcome: 'unconfirmed',
    says: 'The configurations of the hub could not be read. Whether this line was applied is unknown.',
    action: LOOK_UP_CONFIGURATION,
    retried: true,
  },
  'jobNotEnded:configuration': {
    outcome: 'unconfirmed',
    says: `${DOUBTS.jobNotEnded.says} ${UNKNOWN.read}`,
    action: LOOK_UP_CONFIGURATION,
    retried: true,
  },
} as const satisfies Record<string, OutcomeText>;

export type OutcomeKey = keyof typeof OUTCOME_TEXTS;

const sayOutcome = speakerOf(OUTCOME_TEXTS);
const sayDoubt = speakerOf(DOUBTS);

/** What became of a line, out of the table: with its outcome, its code and the sentences for it. */
export function verdict<Key extends OutcomeKey>(
  key: Key,
  ...filling: Filling<(typeof OUTCOME_TEXTS)[Key]>
): Verdict & { readonly code: CodeOf<Key>; readonly reason: string } {
  const { code, message, action } = sayOutcome(key, ...filling);
  return {
    outcome: OUTCOME_TEXTS[key].outcome,
    code,
    reason: message,
    ...defined({ action }),
  };
}

/** Why what is known of a line proves nothing. */
export interface Doubt {
  readonly code: string;
  readonly reason: string;
}

export function doubt<Code extends DoubtCode>(code: Code, ...filling: Filling<(typeof DOUBTS)[Code]>): Doubt {
  return { code, reason: sayDoubt(code, ...filling).message };
}

/** A line that stays in doubt. */
export function unconfirmed({ code, reason }: Doubt, why: keyof typeof UNKNOWN = 'unread'): Verdict {
  return { outcome: 'unconfirmed', code, reason: `${reason} ${UNKNOWN[why]}`, action: RETRY_LINE };
}

/** A line of a run that ended with an error after its import may have been sent. */
export function unconfirmedFor(error: { readonly code: string; readonly message: string }): Verdict {
  const reason = `A job may have been started, and what became of it is unknown. ${error.message}`;
  return { outcome: 'unconfirmed', code: error.code, reason, action: RETRY_LINE };
}
