import { stagingOf } from '../../runs/runContainer.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import type { CheckResult } from '../check/checkResult.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { fillMissing, hasToFill } from './fillMissing.ts';
import { latestEpoch } from './preImage.ts';
import { type FillManifest, fillBlob } from './preImageBlobs.ts';

/**
 * What the lines that the import job was given were filled with; undefined for a run without a pre-image, or whose lines
 * cannot change anything.
 *
 * @throws StagingLost when that is not known any more: what had to go from twins would stay, and nobody would say so
 */
export async function readFilled(
  context: ProvisioningContext,
  record: ProvisionRun,
): Promise<FillManifest | undefined> {
  const epoch = await latestEpoch(context, record);
  if (epoch === undefined) return undefined;
  const filled = await readJson<FillManifest>(stagingOf(context, record.runId).getBlockBlobClient(fillBlob(epoch)));
  // An earlier version, whose records do not say when the import was sent, filled fewer files.
  const isExpected = record.importSentAt !== undefined && hasToFill(record.check?.byMode ?? {});
  if (filled === undefined && isExpected) throw new StagingLost(record.runId, fillBlob(epoch));
  return filled?.value;
}

/** The name of the blob that the import job reads, or has read. */
export async function inputOf(context: ProvisioningContext, record: ProvisionRun, check: CheckResult): Promise<string> {
  return (await fillMissing(context, record, check, await latestEpoch(context, record))).blobName;
}
