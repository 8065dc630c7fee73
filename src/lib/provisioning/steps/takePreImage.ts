import { HubError } from '../../registry/hubError.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { doneWaiting, waitedMs, waitingFor } from '../../runs/waiting.ts';
import { openChecked } from '../job/openChecked.ts';
import { preImageWay, readPreImage } from '../preImage/preImage.ts';
import type { PreImageManifest } from '../preImage/preImageBlobs.ts';
import { preparedAfter, surviving } from '../recovery/recovery.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { isEarlierEpoch } from '../run/epoch.ts';
import { openEpoch } from '../run/importNotes.ts';
import { type ProvisioningContext, retryMsOf } from '../run/provisionRun.ts';
import type { EpochStep, Results } from './flow.ts';

/** Trouble with reading is waited out for as long at least, whatever `retryMinutes` says: nothing has been sent. */
const LEAST_TROUBLE_MS = 3 * 60_000;

export async function notePreImage(
  context: ProvisioningContext,
  { runId, epoch }: EpochStep,
  manifest: PreImageManifest,
): Promise<void> {
  const { blobName, way, identities } = manifest;
  const preImage = {
    container: stagingOf(context, runId).containerName,
    blobName,
    // An export holds all of the hub, and not what the run touches.
    ...(way === 'export' || identities === undefined ? {} : { identities }),
    epoch,
  };
  await context.runs.update(runId, (current) =>
    // Nothing can be undone from that of a dry run: it is staging like the rest.
    current.options?.dryRun === true || isEarlierEpoch(epoch, current.preImage?.epoch)
      ? undefined
      : { ...current, preImage },
  );
}

/**
 * Reads what the run may overwrite or delete, where that can be done one by one; else says that an export is needed. An
 * import that was sent already, or may have been, keeps the pre-image that it was filled from.
 */
export const takePreImage = surviving(tryTakePreImage, preparedAfter);

async function tryTakePreImage(context: ProvisioningContext, input: EpochStep): Promise<Results['takePreImage']> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const { record, check } = run;
  const way = preImageWay(check, record.options);
  if (way === 'none') return { status: 'ready' };
  const opened = await openEpoch(context, record, input.epoch);
  if (opened === 'busy') throw new Error('An earlier attempt to start the job may still be under way.');
  if (opened === 'outdated') return { status: 'ended' };
  if (opened === 'sent') return { status: 'ready' };
  await context.runs.update(input.runId, (current) => ({ ...current, phase: 'preImage' }));
  try {
    const preImage = way === 'export' ? 'export' : await readPreImage(context, record, check, input.epoch);
    await doneWaiting(context, input.runId);
    if (preImage === 'export') return { status: 'export' };
    await notePreImage(context, input, preImage);
    return { status: 'ready' };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (error.retryable && waitedMs(context, record, ['trouble']) < Math.max(LEAST_TROUBLE_MS, retryMsOf(record))) {
      await waitingFor(context, input.runId, { kind: 'trouble', reason: runErrorOf(error).message, phase: 'preImage' });
      return { status: 'wait' };
    }
    await endWithoutJob(context, input.runId, { state: 'failed', error: runErrorOf(error), check });
    return { status: 'ended' };
  }
}
