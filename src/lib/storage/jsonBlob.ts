import type { BlockBlobClient } from '@azure/storage-blob';
import { defined } from '../defined.ts';
import { readText } from './readText.ts';
import { isConditionFailed, isNotFound } from './storageErrors.ts';

/** A JSON document and the ETag it was read at. */
export interface JsonBlob<T> {
  readonly value: T;
  readonly etag: string;
}

/** Reads a small JSON blob; undefined when it does not exist. */
export async function readJson<T>(blob: BlockBlobClient): Promise<JsonBlob<T> | undefined> {
  try {
    const { text, etag } = await readText(blob);
    return { value: JSON.parse(text) as T, etag };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export interface WriteJsonOptions {
  /** Write only over this version. */
  readonly ifMatch?: string;
  /** Write only when the blob does not exist yet. */
  readonly ifAbsent?: boolean;
  readonly leaseId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Writes a JSON blob. Gives its new ETag; undefined when the condition did not hold (somebody else was first). */
export async function writeJson(
  blob: BlockBlobClient,
  value: unknown,
  options: WriteJsonOptions = {},
): Promise<string | undefined> {
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  try {
    const { etag } = await blob.upload(text, Buffer.byteLength(text), {
      blobHTTPHeaders: { blobContentType: 'application/json; charset=utf-8' },
      ...(options.metadata === undefined ? {} : { metadata: { ...options.metadata } }),
      conditions: {
        ...defined({ ifMatch: options.ifMatch }),
        ...(options.ifAbsent ? { ifNoneMatch: '*' } : {}),
        ...defined({ leaseId: options.leaseId }),
      },
    });
    if (etag === undefined) throw new Error(`Storage gave no ETag for ${blob.containerName}/${blob.name}.`);
    return etag;
  } catch (error) {
    if (isConditionFailed(error)) return undefined;
    throw error;
  }
}

/** Keeps a value unless another attempt has kept one before: gives what is there, which is the same for all who ask. */
export async function keepFirst<T>(blob: BlockBlobClient, value: T): Promise<T> {
  for (;;) {
    if ((await writeJson(blob, value, { ifAbsent: true })) !== undefined) return value;
    const winner = await readJson<T>(blob);
    // Deleted between the two, it is to be written after all.
    if (winner !== undefined) return winner.value;
  }
}

/** What an earlier attempt has kept; made and kept when there is nothing yet. */
export async function makeOnce<T>(blob: BlockBlobClient, make: () => Promise<T>): Promise<T> {
  const earlier = await readJson<T>(blob);
  return earlier === undefined ? keepFirst(blob, await make()) : earlier.value;
}
