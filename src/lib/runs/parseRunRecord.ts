/**
 * Reads a run record at the edge: what lies in storage may be of another version, cut off, or changed by hand. What every
 * step relies on is looked at; a record that does not hold it is damaged, and nothing is done for its run.
 */

import { type CodeText, speakerOf } from '../codeText.ts';
import { HubKeeperError } from '../errors.ts';
import {
  type Fields,
  holding,
  isCounts,
  isInstant,
  isNumber,
  isObject,
  isText,
  oneOf,
  type Shape,
} from './recordShape.ts';
import { RUN_STATES, type RunBase, type RunKind } from './runRecord.ts';

/** A kind of runs: what the store has to know of its records. */
export interface KindOfRun<Run extends RunBase> {
  /** Of the records that it writes. */
  readonly version: Run['version'];
  /** A record of an earlier version as one of this; of any other, as it is. */
  upgrade(record: Fields): Fields;
  /** Words for where a run is. */
  readonly phases: readonly string[];
  /** Fields beside those of every run: such as have to be there, and such as may. */
  readonly required: Shape;
  readonly optional: Shape;
  /** Whether the container of a run holds what a person may undo it from: it is kept longer then. */
  canUndo(run: Run): boolean;
}

/** The definition of each kind. */
export type RunKinds<Run extends RunBase> = Readonly<Record<RunKind, KindOfRun<Run>>>;

export const RECORD_TEXTS = {
  recordDamaged: {
    says: 'The record of run {run} cannot be read: {what}. Nothing is done for this run, and its file is not run again.',
    action:
      'Restore an earlier version of hubkeeper-runs/{run}.json if the storage account keeps them; or look at what the hub has, and drop a fresh copy of the file, which has a run of its own.',
  },
} as const satisfies Record<string, CodeText>;

/** The record of a run cannot be read: it is neither run nor overwritten until a person has looked at it. */
export class RunDamaged extends HubKeeperError {
  override readonly name = 'RunDamaged';
  readonly runId: string;

  constructor(runId: string, what: string) {
    super(speakerOf(RECORD_TEXTS)('recordDamaged', { run: runId, what }));
    this.runId = runId;
  }
}

const isJob = holding({ jobId: isText, status: isText, progress: isNumber, createdAt: isText, deadline: isText });

const REQUIRED: Shape = {
  state: oneOf(RUN_STATES),
  createdAt: isInstant,
  updatedAt: isInstant,
  jobs: (value) => isObject(value) && Object.values(value).every(isJob),
};

/** Absent, or of this form. */
const OPTIONAL: Shape = {
  hub: isText,
  startedAt: isInstant,
  turnAskedAt: isInstant,
  traceparent: isText,
  finishedAt: isInstant,
  startClaim: holding({ at: isInstant, attempt: isNumber }),
  cancelRequestedAt: isText,
  suspendedAt: isText,
  suspendedMs: isNumber,
  progress: holding({ part: isText, lines: isNumber, left: isNumber }),
  waiting: holding({ since: isText, kind: isText, reason: isText }),
  outcomes: isCounts,
  error: holding({ code: isText, message: isText }),
  report: holding({ container: isText, json: isText }),
  reads: (value) => Array.isArray(value) && value.every(isText),
};

/** @throws RunDamaged */
export function parseRunRecord<Run extends RunBase>(text: string, runId: string, kinds: RunKinds<Run>): Run {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RunDamaged(runId, 'it is not JSON');
  }
  if (!isObject(value)) throw new RunDamaged(runId, 'it is no JSON object');
  const kind = new Map<unknown, KindOfRun<Run>>(Object.entries(kinds)).get(value['kind']);
  const record = kind?.upgrade(value) ?? value;
  const what = faultOf(record, runId, kind);
  if (what !== undefined) throw new RunDamaged(runId, what);
  return record as unknown as Run;
}

/** What is wrong with it, without a value: what stands there may be anything. */
function faultOf<Run extends RunBase>(
  record: Fields,
  runId: string,
  kind: KindOfRun<Run> | undefined,
): string | undefined {
  if (kind === undefined || record['version'] !== kind.version) {
    return 'it is of a version that this version of HubKeeper does not know';
  }
  if (record['runId'] !== runId) return 'it is not about this run';
  for (const [name, holds] of Object.entries({ ...kind.required, ...REQUIRED })) {
    if (!holds(record[name])) return `its "${name}" is missing or of a wrong form`;
  }
  for (const [name, holds] of Object.entries({ ...OPTIONAL, phase: oneOf(kind.phases), ...kind.optional })) {
    if (record[name] !== undefined && !holds(record[name])) return `its "${name}" is of a wrong form`;
  }
  return undefined;
}
