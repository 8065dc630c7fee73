import { defined } from '../../defined.ts';
import { isOver } from '../../hubJobs/hubJob.ts';
import { readJobState } from '../../hubJobs/jobState.ts';
import { adoptExport, type ExportFault } from '../../registryLines/adoptExport.ts';
import { snapshotPlace } from '../../runs/runContainer.ts';
import type { RunJob } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { openChecked } from '../job/openChecked.ts';
import { readManagers } from '../preImage/managers.ts';
import { epochSince, preImageExport } from '../preImage/preImage.ts';
import { keepManifest, type PreImageManifest, readManifest } from '../preImage/preImageBlobs.ts';
import { preparedAfter, surviving } from '../recovery/recovery.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { type Epoch, isEarlierEpoch } from '../run/epoch.ts';
import { exportJobBlob } from '../run/jobBlobs.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import type { EpochStep } from './flow.ts';
import { notePreImage } from './takePreImage.ts';

/** Takes over what the export wrote as the pre-image. Without it nothing is sent: what cannot be put back is not changed. */
export const finishPreImage = surviving(tryFinishPreImage, preparedAfter);

async function tryFinishPreImage(
  context: ProvisioningContext,
  input: EpochStep,
): Promise<{ readonly status: 'ready' | 'wait' | 'ended' }> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const { record, check } = run;
  const { epoch } = input;
  if (isEarlierEpoch(epoch, await epochSince(context, run, epoch))) return { status: 'ended' };
  const job = record.jobs.export?.epoch === epoch ? record.jobs.export : undefined;
  // Whoever watched the export may have been lost.
  if (job !== undefined && !(await isOver(context, record, job))) return { status: 'wait' };
  // The container of an export that was deleted under it: what it wrote is gone, or it could not write at all.
  if (job !== undefined && (await readJobState(context, record, exportJobBlob(epoch)))?.job === undefined) {
    throw new StagingLost(input.runId, exportJobBlob(epoch));
  }
  const adopted = await adopt(context, record, check, epoch, job);
  if ('fault' in adopted) {
    // Once; a hub that completes an export and writes nothing would do so for ever.
    if (adopted.fault === 'missing' && record.stagingLost === undefined) {
      throw new StagingLost(input.runId, preImageExport(record, check, epoch).blobName);
    }
    await endWithoutJob(context, input.runId, {
      state: 'failed',
      check,
      error: runError('preImageFailed', { why: adopted.why }),
    });
    return { status: 'ended' };
  }
  await notePreImage(context, input, adopted);
  return { status: 'ready' };
}

async function adopt(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  epoch: Epoch,
  job: RunJob | undefined,
): Promise<PreImageManifest | ExportFault> {
  const earlier = await readManifest(context, record, epoch);
  if (earlier !== undefined) return earlier;
  if (job === undefined) return { fault: 'notCompleted', why: 'ended as "unknown"' };
  const adopted = await adoptExport(snapshotPlace(context, record), preImageExport(record, check, epoch), job);
  if ('fault' in adopted) return adopted;
  const managers = await readManagers(context, record, { check, epoch, exported: adopted });
  return keepManifest(context, record, epoch, { ...adopted, ...defined({ managers }) });
}
