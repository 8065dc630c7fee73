import { createHash } from 'node:crypto';
import { bareEtag } from '../registry/etag.ts';

/** One version of a blob. */
export interface BlobIdentity {
  readonly account: string;
  readonly container: string;
  readonly blobName: string;
  readonly etag: string;
}

/**
 * The id of the run that a drop makes: 20 lower-case hexadecimal characters.
 *
 * It derives from nothing but where the blob is and which content it has, so the same drop, fired any number of times by
 * any deployment of the app, always names the same run.
 */
export function runIdFor(drop: BlobIdentity): string {
  return runIdOf([drop.account, drop.container, drop.blobName, bareEtag(drop.etag)]);
}

/** The id of the run that is told from others by these parts alone. */
export function runIdOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);
}

export function isRunId(text: string): boolean {
  return /^[0-9a-f]{20}$/.test(text);
}
