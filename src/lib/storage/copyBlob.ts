/** Copies a blob within the account, without its bytes coming here. */

import { createHash } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import { propertiesIfThere } from './blobProperties.ts';
import { bytesOf } from './readText.ts';
import { isConditionFailed } from './storageErrors.ts';

export interface VerifiedBlob {
  readonly blob: BlockBlobClient;
  /** Of the whole blob, hexadecimal. */
  readonly sha256: string;
}

const TRIES = 4;
const POLL_MS = 1_000;

/**
 * Makes a copy that storage says is whole. May be called again, and by two at a time: one that is there stays, unless its
 * source was written after it.
 *
 * @returns the ETag of the copy; undefined when there is no source
 * @throws whatever storage raises
 */
export async function copyBlob(
  from: BlockBlobClient,
  to: BlockBlobClient,
  sleep: (ms: number) => Promise<void>,
): Promise<string | undefined> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const source = await propertiesIfThere(from);
    if (source === undefined) return undefined;
    const writtenAt = source.lastModified?.getTime() ?? 0;
    const etag = await tryToCopy(from, to, sleep, ({ lastModified }) => lastModified >= writtenAt);
    if (etag !== undefined) return etag;
  }
  throw new Error(`${from.containerName}/${from.name} could not be copied to ${to.containerName}/${to.name}.`);
}

/**
 * The same, and proves that the copy is what was verified: it has been read from its first to its last byte.
 *
 * @returns the ETag of the copy
 * @throws Error when the source is no longer what was verified; whatever storage raises
 */
export async function copyVerified(
  { blob: from, sha256 }: VerifiedBlob,
  to: BlockBlobClient,
  sleep: (ms: number) => Promise<void>,
): Promise<string> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const etag = await tryToCopy(from, to, sleep, async (there) => (await sha256Of(to, there.etag)) === sha256);
    if (etag !== undefined) return etag;
  }
  throw new Error(`The copy ${to.containerName}/${to.name} differs from what was verified.`);
}

interface WholeCopy {
  readonly etag: string;
  /** Ms since the epoch. */
  readonly lastModified: number;
}

/** The ETag of a copy that is there and good; else one step towards it: a copy is begun, or one that is no good removed. */
async function tryToCopy(
  from: BlockBlobClient,
  to: BlockBlobClient,
  sleep: (ms: number) => Promise<void>,
  isGood: (there: WholeCopy) => boolean | Promise<boolean>,
): Promise<string | undefined> {
  const there = await copyThere(to, sleep);
  if (there === undefined) {
    await startCopy(from, to);
    return undefined;
  }
  if (there.isWhole && (await isGood(there))) return there.etag;
  await deleteThat(to, there.etag);
  return undefined;
}

/** What is there, once nobody copies any more. */
async function copyThere(to: BlockBlobClient, sleep: (ms: number) => Promise<void>) {
  for (;;) {
    const { copyStatus, etag = '*', lastModified } = (await propertiesIfThere(to)) ?? {};
    if (lastModified === undefined) return undefined;
    if (copyStatus !== 'pending') {
      const isWhole = copyStatus === undefined || copyStatus === 'success';
      return { etag, isWhole, lastModified: lastModified.getTime() };
    }
    await sleep(POLL_MS);
  }
}

/** Another attempt may have replaced it meanwhile: then that is looked at. */
async function deleteThat(to: BlockBlobClient, etag: string): Promise<void> {
  try {
    await to.deleteIfExists({ conditions: { ifMatch: etag } });
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
  }
}

async function startCopy(from: BlockBlobClient, to: BlockBlobClient): Promise<void> {
  try {
    // The source needs no signature: it is in the account that the request is signed for, by a key or an identity
    // (https://learn.microsoft.com/rest/api/storageservices/copy-blob).
    const poller = await to.beginCopyFromURL(from.url, {
      intervalInMs: POLL_MS,
      conditions: { ifNoneMatch: '*' },
    });
    await poller.pollUntilDone();
  } catch (error) {
    // Another attempt was first: its copy is looked at.
    if (!isConditionFailed(error)) throw error;
  }
}

async function sha256Of(blob: BlockBlobClient, etag: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytesOf(blob, etag)) hash.update(chunk);
  return hash.digest('hex');
}
