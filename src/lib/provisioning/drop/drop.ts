/** The file that a run is for: where it lies, and whether it is still what it was. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { HubKeeperError } from '../../errors.ts';
import { isConditionFailed, isNotFound } from '../../storage/storageErrors.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

/** The dropped file is not what it was when its run was made: nothing of it may be sent to a hub. */
export class DropChanged extends HubKeeperError {
  override readonly name = 'DropChanged';
}

function changed(record: ProvisionRun, how: 'dropDeleted' | 'dropReplaced'): DropChanged {
  return new DropChanged(runError(how, { file: `${record.drop.container}/${record.drop.blobName}` }));
}

export function dropBlob(context: ProvisioningContext, record: ProvisionRun): BlockBlobClient {
  return context.storage.container(record.drop.container).getBlockBlobClient(record.drop.blobName);
}

/**
 * Opens the dropped file, exactly the version that the run was made for.
 *
 * @throws DropChanged
 */
export async function openDrop(context: ProvisioningContext, record: ProvisionRun): Promise<AsyncIterable<Uint8Array>> {
  try {
    const response = await dropBlob(context, record).download(0, undefined, {
      conditions: { ifMatch: record.drop.etag },
      maxRetryRequests: 5,
    });
    if (response.readableStreamBody === undefined) throw new Error('Storage gave no content for the dropped file.');
    return response.readableStreamBody as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw await explain(error, context, record);
  }
}

/**
 * Makes sure that the dropped file is still the version that the run was made for.
 *
 * @throws DropChanged
 */
export async function assertDropUnchanged(context: ProvisioningContext, record: ProvisionRun): Promise<void> {
  try {
    await dropBlob(context, record).getProperties({ conditions: { ifMatch: record.drop.etag } });
  } catch (error) {
    throw await explain(error, context, record);
  }
}

async function explain(error: unknown, context: ProvisioningContext, record: ProvisionRun): Promise<unknown> {
  if (isNotFound(error)) return changed(record, 'dropDeleted');
  // A condition on a blob that is gone may be answered as not met instead of as not found.
  if (isConditionFailed(error)) {
    return changed(record, (await dropBlob(context, record).exists()) ? 'dropReplaced' : 'dropDeleted');
  }
  return error;
}
