/** Small JSON blobs in the container of the mirror. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { type WriteJsonOptions, writeJson } from '../../storage/jsonBlob.ts';
import { MIRROR_CONTAINER, type Storage } from '../../storage/storage.ts';
import { isConditionFailed, isNotFound, storageCode } from '../../storage/storageErrors.ts';

export type Containers = Pick<Storage, 'container'>;

export function noteBlob(storage: Containers, name: string): BlockBlobClient {
  return storage.container(MIRROR_CONTAINER).getBlockBlobClient(name);
}

/**
 * Writes a note; the container is made if it is not there.
 *
 * @returns its ETag; undefined when a condition did not hold
 */
export async function writeNote(
  storage: Containers,
  name: string,
  value: unknown,
  options: WriteJsonOptions = {},
): Promise<string | undefined> {
  const blob = noteBlob(storage, name);
  try {
    return await writeJson(blob, value, options);
  } catch (error) {
    if (storageCode(error) !== 'ContainerNotFound') throw error;
    await storage.container(MIRROR_CONTAINER).createIfNotExists();
    return writeJson(blob, value, options);
  }
}

/** Removes a note, if it is still the one of this ETag. */
export async function dropNote(storage: Containers, name: string, ifMatch: string): Promise<void> {
  try {
    await noteBlob(storage, name).delete({ conditions: { ifMatch } });
  } catch (error) {
    if (!isNotFound(error) && !isConditionFailed(error)) throw error;
  }
}
