/** States and phases of a run in words of a person. */

import type { ProvisionPhase } from '../../src/lib/provisioning/run/provisionRun.ts';
import type { RunJob, RunState } from '../../src/lib/runs/runRecord.ts';
import type { WorkKind, WorkPhase } from '../../src/lib/work/workRun.ts';

const STATE_TEXT: Readonly<Record<RunState, string>> = {
  accepted: 'about to begin',
  running: 'running',
  completed: 'completed',
  completedWithFailures: 'completed with failures',
  refused: 'refused',
  cancelled: 'cancelled',
  failed: 'failed',
  stale: 'too old, never run',
};

export function stateText(state: RunState): string {
  return STATE_TEXT[state];
}

/** What a run does in a phase, as short as a table needs it. */
export const PHASE_TEXT: Readonly<Record<ProvisionPhase, string>> = {
  options: 'waiting for its options',
  check: 'checking the file',
  turn: 'waiting its turn',
  preImage: 'copying what is there',
  job: 'importing',
  retry: 'retrying',
  verify: 'verifying',
  parents: 'linking to parents',
  settle: 'settling the outcomes',
  report: 'writing the report',
};

const WORK_PHASE_TEXT: Readonly<Record<WorkPhase, string>> = {
  begin: 'about to begin',
  turn: 'waiting its turn',
  export: 'exporting the registry',
  verify: 'verifying',
  extras: 'reading what an export lacks',
  write: 'writing the backup',
  compare: 'comparing',
  apply: 'applying',
  rest: 'putting back what a file cannot',
  check: 'comparing what came of it',
  report: 'writing the report',
};

/** What a run of any kind does in a phase. */
export function phaseText(phase: ProvisionPhase | WorkPhase): string {
  return { ...WORK_PHASE_TEXT, ...PHASE_TEXT }[phase];
}

/** What kind of work a run is that has no file of its own. */
export const KIND_TEXT: Readonly<Record<WorkKind, string>> = {
  backup: 'backup',
  verify: 'verification',
  plan: 'plan',
  restore: 'restore',
  undo: 'undo',
  deleteAll: 'delete-all',
  drill: 'restore drill',
  reconcile: 'reconcile of the mirror',
};

export function jobStatusText({ status }: Pick<RunJob, 'status'>): string {
  return status === 'enqueued' ? 'in the queue of the hub' : status;
}

/** So many characters of an id tell the runs of most lists apart: commands are told with these. */
export const SHORT_ID = 8;

export function shortId(runId: string): string {
  return runId.slice(0, SHORT_ID);
}
