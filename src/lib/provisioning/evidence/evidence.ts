/** What is known of a line, as a value that grows with each job and call that the line was given to. */

import { type ImportMode, MODE_RULES } from '../../devicesFile/importMode.ts';
import type { ErrorLog } from '../../hubJobs/errorLog.ts';
import { explainHubError } from '../../registry/index.ts';
import { type Doubt, doubt } from '../texts/outcomeTexts.ts';

/** What is known of one import job after its end. */
export interface JobFacts {
  readonly log: ErrorLog | undefined;
  readonly doubt: Doubt | undefined;
  /** What was done after it is not known any more: errors that may have been fixed since prove nothing. */
  readonly lost?: true;
  /** The job may have been given twice: what it says of existing devices may be its own doing. */
  readonly repeated: boolean;
}

export interface Facts {
  readonly first: JobFacts;
  /** Of the lines that failed transiently, when these were given to a second job. */
  readonly second?: JobFacts;
}

/** What is known of a line so far, out of the jobs and calls that it was given to. */
export interface Evidence {
  /** `no` without a code: there was nothing to do. */
  readonly applied: 'yes' | 'no' | 'maybe';
  /**
   * What the line waits for, if it can be sent once more: that trouble passes, that a full hub has a place, or that it is
   * merged into the twin as it is now, for that has changed since it was read.
   */
  readonly open?: 'transient' | 'quota' | 'stale';
  /** The hub's error, or its warning of a line that was applied. */
  readonly code?: number | string;
  /** Why only the registry can tell; undefined: the hub had trouble with the line each time. */
  readonly doubt?: Doubt;
  /** How often it was given to the hub. */
  readonly tries: number;
}

/** A line, as far as what becomes of it depends on it. */
export interface LineOf {
  readonly id: string;
  readonly moduleId?: string;
  /** As the file asks. */
  readonly mode: ImportMode;
}

/** A device or module that is not there, as an error log tells it. */
const NOT_THERE = new Set(['DeviceNotFound', 'ModuleNotFound']);
const ALREADY_THERE = new Set(['DeviceAlreadyExists', 'ModuleAlreadyExistsOnDevice']);
/** Another ETag than the one that a line compares. */
export const OTHER_ETAG = new Set(['PreconditionFailed', 'GenericPreconditionFailed', 'EtagDoesNotMatch']);
/** Applied, but not in full: the identity exists. */
const WARNINGS = new Set(['ImportWarningExistsError']);
export const WITHOUT_TWIN = 'DeviceRegisteredWithoutTwin';

/** What the jobs of a run tell of a line. */
export function evidenceOf(line: LineOf, { first, second }: Facts): Evidence {
  const evidence = afterJob(line, first, undefined);
  if (first.lost && mayBeFixed(evidence)) {
    // What a merge met says nothing of the patch that may have followed.
    const code = evidence.open === 'stale' ? undefined : evidence.code;
    return { applied: 'maybe', doubt: LOST, tries: 1, ...(code === undefined ? {} : { code }) };
  }
  if (evidence.open !== 'transient' || second === undefined) return evidence;
  return afterJob(line, second, evidence);
}

/** @param before what the first job told of it, if it was given to a second one */
function afterJob(line: LineOf, { log, doubt: why, repeated }: JobFacts, before: Evidence | undefined): Evidence {
  const tries = (before?.tries ?? 0) + 1;
  const code = log?.failures.find(line.id, line.moduleId);
  if (code === undefined)
    return why === undefined ? { applied: 'yes', tries } : { applied: 'maybe', doubt: why, tries };
  const { name, class: errorClass } = explainHubError(code);
  if (name === WITHOUT_TWIN) return { applied: 'yes', code, tries };
  if (errorClass === 'quota') return { applied: 'no', open: 'quota', code, tries };
  if (errorClass === 'transient') {
    const isUntouched = provesNothingDone(code) && before?.applied !== 'maybe';
    return { applied: isUntouched ? 'no' : 'maybe', open: 'transient', code, tries };
  }
  if (WARNINGS.has(name)) return { applied: 'yes', code, tries };
  const mayBeTwice = before !== undefined || repeated;
  // Applied once before, a delete finds nothing.
  if (MODE_RULES[line.mode].deletes && NOT_THERE.has(name)) return { applied: mayBeTwice ? 'yes' : 'no', tries };
  // A module cannot be made before its device: when that is retried, so is the module.
  const device = line.moduleId === undefined ? undefined : log?.failures.find(line.id, undefined);
  if (device !== undefined && NOT_THERE.has(name)) {
    const deviceClass = explainHubError(device).class;
    if (deviceClass === 'transient') return { applied: 'maybe', open: 'transient', code, tries };
    if (deviceClass === 'quota') return { applied: 'no', open: 'quota', code, tries };
  }
  // A line that merges compares an ETag only because this run has it do so.
  if (MODE_RULES[line.mode].patches && OTHER_ETAG.has(name)) {
    return { applied: mayBeTwice ? 'maybe' : 'no', open: 'stale', code, tries };
  }
  const isOwn = mayBeTwice && (explainsItself(line.mode, name) || isOfOwnScope(line.mode, name));
  if (isOwn || (before !== undefined && isOfGuard(line.mode, name))) {
    return { applied: 'maybe', doubt: TWICE, code, tries };
  }
  return { applied: 'no', code, tries };
}

/** Whether a line was sent once more after this, if there was time for it. */
function mayBeFixed({ applied, open, code }: Evidence): boolean {
  return open !== undefined || (applied === 'yes' && lacksTwin(code));
}

/** Whether the hub has said that the identity was made, and its twin was not. */
export function lacksTwin(code: number | string | undefined): boolean {
  return code !== undefined && explainHubError(code).name === WITHOUT_TWIN;
}

export const LOST = doubt('stagingLost');
export const TWICE = doubt('sentTwice');

/** Whether a line that was applied once gets this error when it is sent again. */
export function explainsItself(mode: ImportMode, code: string): boolean {
  const { present, needs } = MODE_RULES[mode];
  return present === 'failsExists' ? ALREADY_THERE.has(code) : needs !== undefined && OTHER_ETAG.has(code);
}

/** Whether this may come of a line that has made an edge device: an update has to repeat the scope that it got by that. */
function isOfOwnScope(mode: ImportMode, code: string): boolean {
  return MODE_RULES[mode].mayOverwrite && code === 'InvalidDeviceScope';
}

/** Whether this is the error of a guard that the line was given when it was sent again (`sentAgain`). */
function isOfGuard(mode: ImportMode, code: string): boolean {
  const { mayOverwrite, ifUnchanged } = MODE_RULES[mode];
  if (!mayOverwrite || ifUnchanged === undefined) return false;
  return ALREADY_THERE.has(code) || OTHER_ETAG.has(code);
}

/** Whether an error says that nothing was done, so that no one needs to look. */
export function provesNothingDone(code: number | string): boolean {
  const { name, code: number } = explainHubError(code);
  const status = Math.floor((number ?? 0) / 1000);
  return (
    name === 'IotHubQuotaExceeded' || [401, 403, 429].includes(status) || /^(Throttl|IotHubUnauthorized)/.test(name)
  );
}

/** Whether an error says that the identity was not there. */
export function saysNotThere(code: string): boolean {
  return NOT_THERE.has(code);
}
