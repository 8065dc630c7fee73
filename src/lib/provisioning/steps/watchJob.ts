import { defined } from '../../defined.ts';
import { isOverdue, readHubJob } from '../../hubJobs/hubJob.ts';
import { isTerminalStatus } from '../../hubJobs/jobStatus.ts';
import { HubError } from '../../registry/hubError.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import type { RunJob } from '../../runs/runRecord.ts';
import { waitingFor } from '../../runs/waiting.ts';
import { tryToCancel } from '../job/openChecked.ts';
import { openRun } from '../job/openRun.ts';
import { endsVerifying, type ProvisioningContext, withJob } from '../run/provisionRun.ts';
import type { OfJob, Results } from './flow.ts';

/** A look that comes this much too soon is in time: the timer went by the clock of another machine. */
const EARLY_MS = 500;

/** @param input `lookAt`: when the hub is to be asked; until then only a cancel is looked for. Ms since the epoch. Default: now */
export async function watchJob(
  context: ProvisioningContext,
  input: OfJob & { readonly lookAt?: number },
): Promise<Results['watchJob']> {
  const { runId, kind, lookAt = 0 } = input;
  const record = await openRun(context, runId);
  const known = record?.jobs[kind];
  if (record === undefined || known === undefined) return { ended: true };
  if (kind === 'export' && input.epoch !== undefined && known.epoch !== input.epoch) return { ended: true };
  if (isTerminalStatus(known.status)) return { ended: true };

  const overdue = isOverdue(context, known);
  // Of a cancelled run, too, it is verified what was done: that export goes on, unless it is what was cancelled.
  const isUnwanted = record.cancelRequestedAt !== undefined && (kind !== 'verify' || endsVerifying(record));
  if (!isUnwanted && !overdue && context.now().getTime() < lookAt - EARLY_MS) return { ended: false, isEarly: true };
  try {
    // A job that may be somebody else's is not ours to cancel.
    if ((isUnwanted || overdue) && !known.mayBeForeign) await tryToCancel(context, record, known.jobId);
    const job = await readHubJob(context, record, known.jobId);
    await context.runs.update(runId, (current) => {
      const { waiting: _waiting, ...rest } = current;
      const seen: RunJob = {
        ...known,
        status: job?.status ?? 'unknown',
        progress: job?.progress ?? known.progress,
        ...defined({ failureReason: job?.failureReason }),
      };
      const before = current.jobs[kind];
      if (before?.jobId !== known.jobId) return undefined;
      const same = current.waiting === undefined && before?.status === seen.status && before.progress === seen.progress;
      return same ? undefined : withJob(rest, kind, seen);
    });
    // A job that the hub does not know any more will not change again.
    if (job === undefined || isTerminalStatus(job.status) || overdue) return { ended: true };
    return { ended: false, ...defined({ progress: job.progress }) };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    await waitingFor(context, runId, { kind: 'trouble', reason: runErrorOf(error).message });
    return { ended: overdue };
  }
}
