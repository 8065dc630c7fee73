/**
 * What is done when something in the container of a run is gone.
 *
 * A run that has sent nothing begins anew: its check, if that is torn, its pre-image and what was filled in from it. One
 * that has sent its import, or may have, sends nothing more: its lines are checked again if they have to be, and the
 * registry decides about them. Which of both it is, the record tells (`isSent`), or what is left of `job.json`.
 */

import { readJobState } from '../../hubJobs/jobState.ts';
import { safeError } from '../../redact.ts';
import { openStaging } from '../../runs/runContainer.ts';
import { isFinal } from '../../runs/runRecord.ts';
import { lostOf } from '../../runs/stagingLost.ts';
import { MOST_EXPORT_TRIES, WAVES_BLOB } from '../again/waves.ts';
import { dropTornCheck } from '../check/checkAgain.ts';
import { CONFIGURATIONS_SETTLED_BLOB } from '../configurations/configurationsStaging.ts';
import { endUnconfirmed, endWithoutJob } from '../report/endRun.ts';
import { closeImportJob } from '../run/importNotes.ts';
import { IMPORT_JOB_BLOB, PARENTS_JOB_BLOB, SETTLEMENT_BLOB, verifyJobBlob } from '../run/jobBlobs.ts';
import { isSent, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

/** A run that loses something more often than this is ended: somebody keeps deleting it. */
const MOST_LOSSES = 5;

export type Recovered =
  /** Nothing was sent: the run begins anew. */
  | 'anew'
  /** The registry decides about its lines. */
  | 'sent'
  | 'ended';

/** The step of a run, with what follows (`recovered`) when something in its container turns out to be gone. */
export function surviving<Input extends { readonly runId: string }, Result, Otherwise>(
  step: (context: ProvisioningContext, input: Input) => Promise<Result>,
  recovered: (how: Recovered, input: Input) => Otherwise,
): (context: ProvisioningContext, input: Input) => Promise<Result | Otherwise> {
  return async (context, input) => {
    const { runId } = input;
    const before = (await context.runs.read(runId))?.stagingLost?.times ?? 0;
    try {
      return await step(context, input);
    } catch (error) {
      const what = lostOf(error);
      if (what === undefined) throw error;
      context.log.log('warn', `something in the container of the run is gone: ${safeError(error).message}`);
      return recovered(await recover(context, runId, { what, before }), input);
    }
  };
}

async function recover(
  context: ProvisioningContext,
  runId: string,
  { what, before }: { readonly what: string; readonly before: number },
): Promise<Recovered> {
  const staging = await openStaging(context, runId);
  const known = await context.runs.read(runId);
  if (known === undefined || isFinal(known.state)) return 'ended';
  // Of a run that an earlier version began: its record does not tell.
  const state = await readJobState(context, known, IMPORT_JOB_BLOB);
  const sentAt = state?.job?.createdAt ?? state?.intent?.at;
  const preImageGone =
    known.preImage !== undefined && !(await staging.getBlockBlobClient(known.preImage.blobName).exists());
  // Before the record tells of the loss: a step that dies in between meets the loss once more.
  if ((known.stagingLost?.times ?? 0) === before) {
    await dropTornCheck(context, runId);
    if (isSent(known) || sentAt !== undefined) await dropWaves(context, runId);
  }
  const record = await context.runs.update(runId, (current) => {
    const times = current.stagingLost?.times ?? 0;
    // Another attempt at this step has seen to it.
    if (times !== before) return undefined;
    const sent = isSent(current) || sentAt !== undefined;
    const { preImage, wavesOpened: _opened, jobs, ...rest } = current;
    const { verify: _verify, parents: _parents, ...others } = jobs;
    return {
      ...rest,
      ...(preImage === undefined || preImageGone ? {} : { preImage }),
      // What had been read of the registry is read anew.
      jobs: sent ? others : jobs,
      ...(sentAt === undefined || isSent(current) ? {} : { importSentAt: sentAt }),
      stagingLost: {
        at: context.now().toISOString(),
        what,
        times: times + 1,
        ...(sent ? { isSent: true as const } : {}),
      },
    };
  });
  if (isFinal(record.state)) return 'ended';
  if ((record.stagingLost?.times ?? 0) > MOST_LOSSES) return giveUp(context, record);
  return isSent(record) ? 'sent' : 'anew';
}

/** What followed the import begins anew, with what the registry says. */
async function dropWaves(context: ProvisioningContext, runId: string): Promise<void> {
  const staging = await openStaging(context, runId);
  const exportTries = Array.from({ length: MOST_EXPORT_TRIES }, (_, at) => verifyJobBlob(at + 1));
  for (const name of [WAVES_BLOB, ...exportTries, PARENTS_JOB_BLOB, SETTLEMENT_BLOB, CONFIGURATIONS_SETTLED_BLOB]) {
    await staging.getBlockBlobClient(name).deleteIfExists();
  }
}

async function giveUp(context: ProvisioningContext, record: ProvisionRun): Promise<'ended' | 'sent'> {
  const gate = await closeImportJob(context, record);
  if (gate === 'busy') throw new Error('An earlier attempt to start the job may still be under way.');
  const key = gate === 'closed' ? 'stagingLost:unsent' : 'stagingLost:sent';
  const error = runError(key, { container: `hubkeeper-run-${record.runId}` });
  await (gate === 'closed' ? endWithoutJob : endUnconfirmed)(context, record.runId, { state: 'failed', error });
  return 'ended';
}

/** Of a run that has sent its import nothing is prepared any more; the start of the job finds it. */
export function preparedAfter(how: Recovered): { readonly status: 'ready' | 'anew' | 'ended' } {
  return { status: how === 'sent' ? 'ready' : how };
}
