/** Questions about errors of the storage service. Branch on these, never on message texts. */

interface StorageErrorShape {
  readonly statusCode?: unknown;
  readonly code?: unknown;
}

function shapeOf(error: unknown): StorageErrorShape {
  return typeof error === 'object' && error !== null ? (error as StorageErrorShape) : {};
}

export function storageStatus(error: unknown): number | undefined {
  const { statusCode } = shapeOf(error);
  return typeof statusCode === 'number' ? statusCode : undefined;
}

export function storageCode(error: unknown): string | undefined {
  const { code } = shapeOf(error);
  return typeof code === 'string' ? code : undefined;
}

/** Of a call of the storage service, be it that it has answered so or that it was not reached. */
export function isOfStorage(error: unknown): boolean {
  return error instanceof Error && error.name === 'RestError';
}

/** The blob or container is not there. */
export function isNotFound(error: unknown): boolean {
  return storageStatus(error) === 404;
}

/** A condition (If-Match, If-None-Match, lease) did not hold: somebody else was first. */
export function isConditionFailed(error: unknown): boolean {
  const status = storageStatus(error);
  if (status === 412) return true;
  const code = storageCode(error);
  return status === 409 && (code === 'BlobAlreadyExists' || code === 'LeaseAlreadyPresent');
}

/** The blob is in the archive tier, or on its way out of it: it can be neither read nor written over. */
export function isArchived(error: unknown): boolean {
  const code = storageCode(error);
  return storageStatus(error) === 409 && (code === 'BlobArchived' || code === 'BlobBeingRehydrated');
}

/**
 * The blob is kept from being changed or deleted: by a policy of its container or of its own, or a legal hold
 * (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
 */
export function isImmutable(error: unknown): boolean {
  return storageStatus(error) === 409 && /^BlobImmutable/.test(storageCode(error) ?? '');
}
