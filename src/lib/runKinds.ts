import { PROVISION_KIND } from './provisioning/run/provisionKind.ts';
import { isSent, type ProvisionRun } from './provisioning/run/provisionRun.ts';
import type { KindOfRun, RunKinds } from './runs/parseRunRecord.ts';
import { isFinal } from './runs/runRecord.ts';
import type { RunStore } from './runs/runStore.ts';
import { WORK_KIND } from './work/workKind.ts';
import type { WorkRun } from './work/workRun.ts';

/** The record of a run, of whichever kind. */
export type RunRecord = ProvisionRun | WorkRun;

/** All kinds of runs there are. A definition is only asked about records of its own kind. */
const work = WORK_KIND as KindOfRun<RunRecord>;
export const RUN_KINDS: RunKinds<RunRecord> = {
  provision: PROVISION_KIND as KindOfRun<RunRecord>,
  backup: work,
  verify: work,
  plan: work,
  restore: work,
  undo: work,
  deleteAll: work,
  drill: work,
  reconcile: work,
};

/** Whether what a run did to its hub can be undone, as far as its record tells: what that needs may be gone already. */
export function mayBeUndone(record: RunRecord): boolean {
  if (!isFinal(record.state)) return false;
  if (record.kind !== 'provision') return record.appliedBy !== undefined;
  return record.options?.dryRun !== true && isSent(record) && PROVISION_KIND.canUndo(record);
}

/**
 * The store as the steps of one kind of runs see it: a step is only given the id of a run of its own kind. What may meet
 * others (whoever holds a turn) looks at what all records have.
 */
export function runsOf<Run extends RunRecord>(runs: RunStore<RunRecord>): RunStore<Run> {
  return runs as unknown as RunStore<Run>;
}
