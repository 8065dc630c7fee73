import { askAgain, type RunInstances } from '../../hubJobs/askAgain.ts';
import { readJobState } from '../../hubJobs/jobState.ts';
import type { AskAgain, AskInput } from '../../runs/step.ts';
import { aheadText, noteTurnPosition, waitedMs } from '../../runs/waiting.ts';
import { checkOf } from '../check/checkResult.ts';
import { CANCELLED, openRun } from '../job/openRun.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { closeImportJob } from '../run/importNotes.ts';
import { IMPORT_JOB_BLOB } from '../run/jobBlobs.ts';
import { noteJob } from '../run/jobNotes.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

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
  const { runId, position, hasSent = false } = input;
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
  const { turnTimeoutHours } = context.settings;
  if (waitedMs(context, record, ['turn']) > turnTimeoutHours * HOUR_MS && (await close())) {
    await endWithoutJob(context, runId, {
      state: 'failed',
      error: runError('turnTimeout', { hours: turnTimeoutHours, ahead: aheadText(position) }),
      check: await checkOf(context, runId),
    });
    return { status: 'ended' };
  }
  await noteTurnPosition(context, record, position);
  return { status: 'wait', next: await askAgain(context, instances, input) };
}
