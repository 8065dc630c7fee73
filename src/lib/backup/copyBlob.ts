/** Copies a blob within the account, without its bytes coming here, and proves that the copy is what was verified. */

import { createHash } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import { propertiesIfThere } from '../storage/blobProperties.ts';
import { bytesOf } from '../storage/readText.ts';
import { isConditionFailed } from '../storage/storageErrors.ts';

export interface VerifiedBlob {
  readonly blob: BlockBlobClient;
  /** Of the whole blob, hexadecimal. */
  readonly sha256: string;
}

const TRIES = 4;
const POLL_MS = 1_000;

/**
 * May be called again, and by two at a time: what is there whole stays, what is torn is made anew. The copy has been read
 * from its first to its last byte when this returns.
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
    const there = await propertiesIfThere(to);
    if (there === undefined) {
      await startCopy(from, to);
    } else if (there.copyStatus === 'pending') {
      await sleep(POLL_MS);
      tries -= 1;
    } else if (there.etag !== undefined && (await sha256Of(to, there.etag)) === sha256) {
      return there.etag;
    } else {
      await to.deleteIfExists({ conditions: { ifMatch: there.etag ?? '*' } });
    }
  }
  throw new Error(`The copy ${to.containerName}/${to.name} differs from what was verified.`);
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
