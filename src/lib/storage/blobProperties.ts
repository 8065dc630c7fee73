import type { BlobClient, BlobGetPropertiesResponse } from '@azure/storage-blob';

import { isNotFound } from './storageErrors.ts';

/** The properties of a blob, by one request; undefined when it is not there. */
export async function propertiesIfThere(blob: BlobClient): Promise<BlobGetPropertiesResponse | undefined> {
  try {
    return await blob.getProperties();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
