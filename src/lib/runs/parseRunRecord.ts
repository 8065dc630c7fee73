/**
 * Reads a run record at the edge: what lies in storage may be of another version, cut off, or changed by hand. What every
 * step relies on is looked at; a record that does not hold it is damaged, and nothing is done for its run.
 */

import { HubKeeperError } from '../errors.ts';
import { JOB_FIELDS, RUN_PHASES, RUN_STATES, type RunRecord } from './runRecord.ts';

/** The record of a run cannot be read: it is neither run nor overwritten until a person has looked at it. */
export class RunDamaged extends HubKeeperError {
  override readonly name = 'RunDamaged';
  readonly runId: string;

  constructor(runId: string, what: string) {
    super({
      code: 'recordDamaged',
      message: `The record of run ${runId} cannot be read: ${what}. Nothing is done for this run, and its file is not run again.`,
      action: `Restore an earlier version of hubkeeper-runs/${runId}.json if the storage account keeps them; or look at what the hub has, and drop a fresh copy of the file, which has a run of its own.`,
    });
    this.runId = runId;
  }
}

/** @throws RunDamaged */
export function parseRunRecord(text: string, runId: string): RunRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RunDamaged(runId, 'it is not JSON');
  }
  const what = isObject(value) ? faultOf(value, runId) : 'it is no JSON object';
  if (what !== undefined) throw new RunDamaged(runId, what);
  return value as unknown as RunRecord;
}

type Fields = Readonly<Record<string, unknown>>;
type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isTrue = (value: unknown): boolean => value === true;
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isInstant = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const oneOf = (words: readonly string[]) => (value: unknown) => typeof value === 'string' && words.includes(value);
const isCounts = (value: unknown): boolean => isObject(value) && Object.values(value).every(isNumber);
const holding = (required: Shape) => (value: unknown) =>
  isObject(value) && Object.entries(required).every(([name, holds]) => holds(value[name]));

const isJob = holding({ jobId: isText, status: isText, progress: isNumber, createdAt: isText, deadline: isText });

const REQUIRED: Shape = {
  kind: oneOf(['provision']),
  batch: isText,
  drop: holding({
    account: isText,
    container: isText,
    blobName: isText,
    etag: isText,
    size: isNumber,
    lastModified: isInstant,
  }),
  state: oneOf(RUN_STATES),
  createdAt: isInstant,
  updatedAt: isInstant,
};

/** Absent, or of this form. */
const OPTIONAL: Shape = {
  hub: isText,
  options: isObject,
  phase: oneOf(RUN_PHASES),
  startedAt: isInstant,
  finishedAt: isInstant,
  startClaim: holding({ at: isInstant, attempt: isNumber }),
  cancelRequestedAt: isText,
  suspendedAt: isText,
  suspendedMs: isNumber,
  check: holding({ lines: isNumber, rejected: isNumber, skipped: isNumber, byMode: isObject }),
  waiting: holding({ since: isText, kind: isText, reason: isText }),
  ...Object.fromEntries(JOB_FIELDS.map((name) => [name, isJob])),
  preImage: holding({ container: isText, blobName: isText, round: isText }),
  retry: holding({ round: isText, lines: isNumber, left: isNumber }),
  kept: isObject,
  plan: holding({ effects: isCounts, disabled: isNumber, lackingParent: isNumber }),
  importSentAt: isInstant,
  importClosed: isTrue,
  roundsOpened: isTrue,
  stagingLost: holding({ at: isInstant, what: isText, times: isNumber }),
  outcomes: isCounts,
  configurations: holding({ lines: isNumber, accepted: isNumber, rejected: isNumber }),
  error: holding({ code: isText, message: isText }),
  report: holding({ container: isText, json: isText }),
};

/** What is wrong with it, without a value: what stands there may be anything. */
function faultOf(record: Fields, runId: string): string | undefined {
  if (record['version'] !== 1) return 'it is of a version that this version of HubKeeper does not know';
  if (record['runId'] !== runId) return 'it is not about this run';
  for (const [name, holds] of Object.entries(REQUIRED)) {
    if (!holds(record[name])) return `its "${name}" is missing or of a wrong form`;
  }
  for (const [name, holds] of Object.entries(OPTIONAL)) {
    if (record[name] !== undefined && !holds(record[name])) return `its "${name}" is of a wrong form`;
  }
  return undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
