import type { ProvisioningContext } from '../../runs/runContext.ts';
import type { RunRecord } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { type FillManifest, fillBlob, stagingOf } from '../check/staging.ts';
import { hasToFill } from './fillMissing.ts';
import { latestRound } from './preImage.ts';

/**
 * What the lines that the import job was given were filled with; undefined for a run without a pre-image, or whose lines
 * cannot change anything.
 *
 * @throws StagingLost when that is not known any more: what had to go from twins would stay, and nobody would say so
 */
export async function readFilled(context: ProvisioningContext, record: RunRecord): Promise<FillManifest | undefined> {
  const round = await latestRound(context, record);
  if (round === undefined) return undefined;
  const filled = await readJson<FillManifest>(stagingOf(context, record.runId).getBlockBlobClient(fillBlob(round)));
  // An earlier version, whose records do not say when the import was sent, filled fewer files.
  const isExpected = record.importSentAt !== undefined && hasToFill(record.check?.byMode ?? {});
  if (filled === undefined && isExpected) throw new StagingLost(record.runId, fillBlob(round));
  return filled?.value;
}
