import { HubError } from '../registry/index.ts';
import type { ProvisioningContext } from './context.ts';
import { endWithoutJob } from './endRun.ts';
import { noJobUnderWay, readJobState } from './importJob.ts';
import { checkOf, endCancelled, noteJob, open } from './runSteps.ts';

/** The durable engine, as far as the life of a run's orchestration is concerned. */
export interface RunInstances {
  /** `gone`: there is none of that id, or it has ended. */
  stateOf(runId: string): Promise<'live' | 'suspended' | 'gone'>;
}

const HOUR_MS = 60 * 60_000;

/**
 * One look around while a run waits for its turn: ends the run when that was asked for or it has waited too long, notes
 * its place in the record when that has changed, and finds out about a holder that is silent.
 *
 * @returns `jobStarted` for a run that has had its turn already
 */
export async function awaitTurn(
  context: ProvisioningContext,
  instances: RunInstances,
  input: { readonly runId: string; readonly position: number; readonly silentHolder?: string },
): Promise<{ readonly status: 'wait'; readonly evict: boolean } | { readonly status: 'ended' | 'jobStarted' }> {
  const { runId, position, silentHolder } = input;
  const record = await open(context, runId);
  if (record === undefined) return { status: 'ended' };
  const { job, intent } = await readJobState(context, runId);
  if (job !== undefined) {
    // Started again after its orchestration was lost: what is left to do needs no turn.
    await noteJob(context, runId, job);
    return { status: 'jobStarted' };
  }
  // With an intent, but no job, only the start of the job can tell what was sent: it has to be waited for.
  const nothingSent = intent === undefined;
  if (record.cancelRequestedAt !== undefined && nothingSent) {
    await endCancelled(context, runId, await checkOf(context, runId));
    return { status: 'ended' };
  }
  const now = context.now();
  const { turnTimeoutHours } = context.settings;
  const { waiting } = record;
  const waits = waiting?.position !== undefined;
  if (nothingSent && waits && now.getTime() - Date.parse(waiting.since) > turnTimeoutHours * HOUR_MS) {
    const check = await checkOf(context, runId);
    await endWithoutJob(context, runId, {
      state: 'failed',
      error: {
        code: 'turnTimeout',
        message: `The run has waited for its turn for ${turnTimeoutHours} hours; ${aheadText(position)}.`,
        action: 'See what the other runs of this hub do (hubkeeper runs), then drop the file again.',
      },
      ...(check === undefined ? {} : { check }),
    });
    return { status: 'ended' };
  }
  if (!waits || waiting.position !== position) {
    await context.runs.update(runId, (current) => ({
      ...current,
      waiting: {
        since: current.waiting?.position === undefined ? now.toISOString() : current.waiting.since,
        reason: `waiting for its turn: ${aheadText(position)}`,
        position,
      },
    }));
  }
  return { status: 'wait', evict: silentHolder !== undefined && (await mayEvict(context, instances, silentHolder)) };
}

function aheadText(position: number): string {
  return position === 1 ? '1 run is ahead' : `${position} runs are ahead`;
}

/**
 * Whether a silent holder has to give up the turn: only when nothing of it can still be at work on the hub. Its
 * orchestration is gone or suspended, and no job of it is under way. A suspended one waits for its turn again when it is
 * resumed, unless its job has been done.
 */
async function mayEvict(context: ProvisioningContext, instances: RunInstances, holder: string): Promise<boolean> {
  if ((await instances.stateOf(holder)) === 'live') return false;
  const record = await context.runs.read(holder);
  try {
    return record === undefined || (await noJobUnderWay(context, record));
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    context.log.log('warn', `whether the job of run ${holder} has ended is not known: ${error.message}`);
    return false;
  }
}
