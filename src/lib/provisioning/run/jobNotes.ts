/** What the record of a run says of its jobs, and of what holds them up. */

import { defined } from '../../defined.ts';
import type { StartedJob } from '../../hubJobs/jobState.ts';
import type { RunJob } from '../../runs/runRecord.ts';
import { type Epoch, isEarlierEpoch } from './epoch.ts';
import type { JobKind, ProvisioningContext, ProvisionPhase } from './provisionRun.ts';
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
