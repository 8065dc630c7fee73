import {
  CONFIGURATIONS_FILE,
  checkConfigurationsFile,
  MOST_BYTES,
  refuseConfigurations,
} from '../../configurationsFile/checkConfigurationsFile.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { writeLines } from '../../storage/ndjson.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import { parseDropPath } from '../drop/dropPath.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import type { ConfigurationsCheck } from './checkResult.ts';

/**
 * Takes over the `configurations.txt` beside the devices file, as it is at this moment, and checks each line of it.
 * Whatever becomes of the blob afterwards does not matter to the run.
 *
 * @param attempt keeps the blobs of two attempts apart
 * @returns undefined when there is none
 * @throws ConfigurationsRefused
 */
export async function snapshotConfigurations(
  context: ProvisioningContext,
  record: ProvisionRun,
  attempt: string,
): Promise<ConfigurationsCheck | undefined> {
  if (record.appliedFor !== undefined) return undefined;
  const folder = parseDropPath(record.drop.blobName, [])?.folder ?? '';
  const name = `${folder}${CONFIGURATIONS_FILE}`;
  const file = `${record.drop.container}/${name}`;
  const body = await open(context, record, name, file);
  if (body === undefined) return undefined;
  const { lines, ...counts } = await checkConfigurationsFile(body, file);
  const blobName = `configurations-checked-${attempt}.ndjson`;
  await writeLines(
    stagingOf(context, record.runId).getBlockBlobClient(blobName),
    lines.map((line) => JSON.stringify(line)),
  );
  return { blobName, lines: lines.length, ...counts };
}

async function open(
  context: ProvisioningContext,
  record: ProvisionRun,
  name: string,
  file: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const blob = context.storage.container(record.drop.container).getBlockBlobClient(name);
  try {
    // Taken up again after a broken connection, the download asks for the same version, so it is never torn.
    const { contentLength = 0, readableStreamBody } = await blob.download(0, undefined, { maxRetryRequests: 5 });
    if (readableStreamBody === undefined) throw new Error(`Storage gave no content for ${file}.`);
    const body = readableStreamBody as AsyncIterable<Uint8Array> & { destroy?(): void };
    if (contentLength <= MOST_BYTES) return body;
    body.destroy?.();
    throw refuseConfigurations('configurationsTooLarge', file, { bytes: contentLength, limit: MOST_BYTES });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
