/** What the record of a run says of its jobs, and of what holds them up. */

import { defined } from '../../defined.ts';
import type { StartedJob } from '../../hubJobs/jobState.ts';
import type { RunJob, RunWaiting } from '../../runs/runRecord.ts';
import { type Epoch, isEarlierEpoch } from './epoch.ts';
import type { JobKind, ProvisioningContext, ProvisionPhase, ProvisionRun } from './provisionRun.ts';
import { withJob } from './provisionRun.ts';

export const PHASE_OF = {
  export: 'preImage',
  import: 'job',
  retry: 'retry',
  verify: 'verify',
  parents: 'parents',
} as const satisfies Record<JobKind, ProvisionPhase>;

/** Notes in the record that a job was started. */
export async function noteJob(
  context: ProvisioningContext,
  runId: string,
  kind: JobKind,
  started: StartedJob & { readonly epoch?: Epoch | undefined },
): Promise<void> {
  const { epoch, ...fields } = started;
  await context.runs.update(runId, (current) => {
    const { waiting: _waiting, ...rest } = current;
    const known = current.jobs[kind];
    const fresh: RunJob = {
      ...fields,
      ...defined({ epoch }),
      status: 'enqueued',
      progress: 0,
    };
    const job = known === undefined || isEarlierEpoch(known.epoch, epoch) ? fresh : known;
    return withJob({ ...rest, phase: PHASE_OF[kind] }, kind, job);
  });
}

/** For how long the run has been held up by something of these kinds, ms; 0 when it is by none. */
export function waitedMs(
  { now }: ProvisioningContext,
  { waiting }: ProvisionRun,
  kinds: readonly RunWaiting['kind'][],
): number {
  return waiting !== undefined && kinds.includes(waiting.kind) ? now().getTime() - Date.parse(waiting.since) : 0;
}

/** Nothing holds the run up any more: what comes next has its own time. */
export async function doneWaiting(context: ProvisioningContext, runId: string): Promise<void> {
  await context.runs.update(runId, ({ waiting, ...rest }) => (waiting === undefined ? undefined : rest));
}

/** Notes what the run waits for; since when counts anew when the kind of waiting changes. */
export async function waitingFor(
  context: ProvisioningContext,
  runId: string,
  waiting: { readonly kind: 'busy' | 'trouble'; readonly reason: string; readonly phase?: ProvisionPhase },
): Promise<void> {
  const { phase, ...why } = waiting;
  await context.runs.update(runId, (current) => {
    const before = current.waiting;
    if (before?.kind === waiting.kind && before.reason === waiting.reason) return undefined;
    const since = before?.kind === waiting.kind ? before.since : context.now().toISOString();
    return { ...current, ...defined({ phase }), waiting: { ...why, since } };
  });
}
