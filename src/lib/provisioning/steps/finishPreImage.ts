import { isOver } from '../../hubJobs/hubJob.ts';
import { readJobState } from '../../hubJobs/jobState.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { exportJobBlob } from '../job/jobBlobs.ts';
import { openChecked } from '../job/openChecked.ts';
import { epochSince, exportBlobName, keepManifest } from '../preImage/preImage.ts';
import { preparedAfter, surviving } from '../recovery/recovery.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { isEarlierEpoch } from '../run/epoch.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import type { EpochStep } from './stepInputs.ts';
import { notePreImage } from './takePreImage.ts';

export async function tryFinishPreImage(
  context: ProvisioningContext,
  input: EpochStep,
): Promise<{ readonly status: 'ready' | 'wait' | 'ended' }> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const { record, check } = run;
  const { epoch } = input;
  if (isEarlierEpoch(epoch, await epochSince(context, run, epoch))) return { status: 'ended' };
  const job = record.exportJob?.round === epoch ? record.exportJob : undefined;
  // Whoever watched the export may have been lost.
  if (job !== undefined && !(await isOver(context, record, job))) return { status: 'wait' };
  const blobName = exportBlobName(check, epoch);
  const status = job?.status.toLowerCase();
  // The container of an export that was deleted under it: what it wrote is gone, or it could not write at all.
  if (job !== undefined && (await readJobState(context, record, exportJobBlob(epoch)))?.job === undefined) {
    throw new StagingLost(input.runId, exportJobBlob(epoch));
  }
  const isThere = await stagingOf(context, input.runId).getBlockBlobClient(blobName).exists();
  // Once; a hub that completes an export and writes nothing would do so for ever.
  if (status === 'completed' && !isThere && record.stagingLost === undefined) {
    throw new StagingLost(input.runId, blobName);
  }
  if (status !== 'completed' || !isThere) {
    await endWithoutJob(context, input.runId, {
      state: 'failed',
      check,
      error: {
        code: 'preImageFailed',
        message: `What the file would overwrite could not be read from the hub: the export job ended as "${status ?? 'unknown'}".`,
        action: 'Nothing was sent to the hub. Drop the file again; if it happens again, look at the jobs of the hub.',
      },
    });
    return { status: 'ended' };
  }
  await notePreImage(context, input, await keepManifest(context, record, epoch, { blobName, way: 'export' }));
  return { status: 'ready' };
}

/** Takes over what the export wrote as the pre-image. Without it nothing is sent: what cannot be put back is not changed. */
export async function finishPreImage(
  context: ProvisioningContext,
  input: EpochStep,
): Promise<{ readonly status: 'ready' | 'wait' | 'anew' | 'ended' }> {
  return surviving(context, input.runId, () => tryFinishPreImage(context, input), preparedAfter);
}
