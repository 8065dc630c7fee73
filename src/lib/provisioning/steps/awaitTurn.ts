import { readJobState } from '../../hubJobs/jobState.ts';
import { RunDamaged } from '../../runs/parseRunRecord.ts';
import type { AskAgain, AskInput } from '../../runs/step.ts';
import { turnDelaySeconds } from '../../turns/delays.ts';
import { checkOf } from '../check/checkResult.ts';
import { isIdle } from '../job/isIdle.ts';
import { CANCELLED, openRun } from '../job/openRun.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { closeImportJob } from '../run/importNotes.ts';
import { IMPORT_JOB_BLOB } from '../run/jobBlobs.ts';
import { noteJob, waitedMs } from '../run/jobNotes.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

/** The durable engine, as far as the life of a run's orchestration is concerned. */
export interface RunInstances {
  /** `gone`: there is none of that id, or it has ended. */
  stateOf(runId: string): Promise<'live' | 'suspended' | 'gone'>;
}

const HOUR_MS = 60 * 60_000;

export interface AwaitTurnInput extends AskInput {
  /** The run has had its turn, lost it after its import, and has more to send. */
  readonly hasSent?: true;
}

/** `jobStarted`: the run needs no turn any more. */
export type AwaitTurnResult =
  | { readonly status: 'wait'; readonly next: Omit<AskAgain, 'do'> }
  | { readonly status: 'ended' | 'jobStarted' };

/**
 * One look around while a run waits for its turn: ends the run when that was asked for or it has waited too long, notes
 * its place in the record when that has changed, and finds out about a holder that is silent.
 */
export async function awaitTurn(
  context: ProvisioningContext,
  instances: RunInstances,
  input: AwaitTurnInput,
): Promise<AwaitTurnResult> {
  const { runId, position, silentHolder, hasSent = false } = input;
  const record = await openRun(context, runId);
  if (record === undefined) return { status: 'ended' };
  if (hasSent && record.cancelRequestedAt !== undefined) return { status: 'jobStarted' };
  const job = (await readJobState(context, record, IMPORT_JOB_BLOB))?.job ?? record.jobs.import;
  if (job !== undefined && !hasSent) {
    // Started again after its orchestration was lost: what is left to do needs no turn.
    await noteJob(context, runId, 'import', job);
    return { status: 'jobStarted' };
  }
  // A run whose job may have been started is not let go: only the start of the job can tell what was sent.
  const close = async () => (await closeImportJob(context, record)) === 'closed';
  if (record.cancelRequestedAt !== undefined && (await close())) {
    await endWithoutJob(context, runId, { ...CANCELLED, check: await checkOf(context, runId) });
    return { status: 'ended' };
  }
  const now = context.now();
  const { turnTimeoutHours } = context.settings;
  const before = record.waiting?.kind === 'turn' ? record.waiting : undefined;
  if (waitedMs(context, record, ['turn']) > turnTimeoutHours * HOUR_MS && (await close())) {
    await endWithoutJob(context, runId, {
      state: 'failed',
      error: runError('turnTimeout', { hours: turnTimeoutHours, ahead: aheadText(position) }),
      check: await checkOf(context, runId),
    });
    return { status: 'ended' };
  }
  if (before?.position !== position) {
    // A suspended run stands in no queue.
    await context.runs.update(runId, (current) =>
      current.suspendedAt === undefined
        ? {
            ...current,
            phase: 'turn',
            waiting: {
              since: current.waiting?.kind === 'turn' ? current.waiting.since : now.toISOString(),
              kind: 'turn',
              reason: `waiting for its turn: ${aheadText(position)}`,
              position,
            },
          }
        : undefined,
    );
  }
  const nowMs = now.getTime();
  const standing = input.standing?.position === position ? input.standing : { position, since: nowMs };
  const seconds = turnDelaySeconds(position, nowMs - standing.since);
  const isDead = silentHolder !== undefined && (await mayEvict(context, instances, silentHolder));
  return { status: 'wait', next: { seconds, standing, ...(isDead ? { evict: silentHolder } : {}) } };
}

function aheadText(position: number): string {
  return position === 1 ? '1 run is ahead' : `${position} runs are ahead`;
}

/**
 * Whether a silent holder has to give up the turn: only when nothing of it can still be at work on the hub. Its
 * orchestration is gone, or it is suspended; and no job of it is under way. A suspended one waits for its turn again when
 * it is resumed, unless its job has been done.
 */
async function mayEvict(context: ProvisioningContext, instances: RunInstances, holder: string): Promise<boolean> {
  const state = await instances.stateOf(holder);
  const record = await context.runs.read(holder).catch((error: unknown) => {
    // Nothing is done for it any more.
    if (error instanceof RunDamaged) return undefined;
    throw error;
  });
  if (state === 'live' && record?.suspendedAt === undefined) return false;
  return record === undefined || (await isIdle(context, record));
}
