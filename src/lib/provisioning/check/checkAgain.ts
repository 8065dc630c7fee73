/** The lines of a run once more, when what its check had written is gone: from the drop, if that is still what it was. */

import { ConfigurationsRefused } from '../../configurationsFile/checkConfigurationsFile.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { FileRefused } from '../../textFile/fileRefused.ts';
import { DropChanged } from '../drop/drop.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import { CHECK_BLOB, type CheckResult, checkBlobs } from './checkResult.ts';

/** Why the lines of the file cannot be had any more. */
export type LinesGone = DropChanged | FileRefused | ConfigurationsRefused;

export function areLinesGone(error: unknown): error is LinesGone {
  return error instanceof DropChanged || error instanceof FileRefused || error instanceof ConfigurationsRefused;
}

/** Makes sure that a check counts only while all that it wrote is there. */
export async function dropTornCheck(context: ProvisioningContext, runId: string): Promise<void> {
  const staging = stagingOf(context, runId);
  const manifest = staging.getBlockBlobClient(CHECK_BLOB);
  const check = await readJson<CheckResult>(manifest);
  if (check === undefined) return;
  const { attempt, configurations } = check.value;
  const names = Object.values(checkBlobs(staging, attempt)).map(({ name }) => name);
  if (configurations !== undefined) names.push(configurations.blobName);
  const there = await Promise.all(names.map((name) => staging.getBlockBlobClient(name).exists()));
  if (there.every(Boolean)) return;
  await manifest.deleteIfExists({ conditions: { ifMatch: check.etag } }).catch(() => undefined);
}
