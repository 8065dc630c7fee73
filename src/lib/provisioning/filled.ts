import { readJson } from '../storage/jsonBlob.ts';
import type { ProvisioningContext } from './context.ts';
import { readJobState } from './hubJob.ts';
import type { RunRecord } from './runRecord.ts';
import { type FillManifest, fillBlob, IMPORT_JOB_BLOB, stagingOf } from './staging.ts';

/** What the lines that the import job was given were filled with; undefined for a run without a pre-image. */
export async function readFilled(context: ProvisioningContext, record: RunRecord): Promise<FillManifest | undefined> {
  const round = (await readJobState(context, record, IMPORT_JOB_BLOB))?.round;
  if (round === undefined) return undefined;
  return (await readJson<FillManifest>(stagingOf(context, record.runId).getBlockBlobClient(fillBlob(round))))?.value;
}
