/** The sections of a split snapshot, read piece by piece. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { splitLines } from '../../storage/ndjson.ts';
import { bytesOf } from '../../storage/readText.ts';
import { type IdentityKey, keyOf } from '../rows/row.ts';
import { bucketOf } from '../store/bucketOf.ts';
import type { ShownIdentity } from './shownIdentity.ts';
import type { SplitSnapshot } from './splitSnapshot.ts';

/** What is compared at a time: some buckets, one after the other; or a part of the devices of one that is large. */
export interface Piece {
  readonly firstBucket: number;
  readonly buckets: number;
  readonly part: number;
  readonly parts: number;
}

/** Of one piece in memory; the bucket of a million devices with small twins holds about as much. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Buckets are taken together up to this: of a small registry each would cost more calls than it is worth. */
const TOGETHER_BYTES = 256 * 1024;

/** All pieces, in a fixed order. */
export function piecesOf(
  { sections }: Pick<SplitSnapshot, 'sections'>,
  { most, together } = { most: MOST_BYTES, together: TOGETHER_BYTES },
): readonly Piece[] {
  const pieces: Piece[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  sections.forEach((size, bucket) => {
    const last = pieces.at(-1);
    bytes += size;
    if (last !== undefined && last.parts === 1 && bytes <= together) {
      pieces[pieces.length - 1] = { ...last, buckets: last.buckets + 1 };
      return;
    }
    bytes = size;
    const parts = Math.max(1, Math.ceil(size / most));
    for (let part = 0; part < parts; part += 1) pieces.push({ firstBucket: bucket, buckets: 1, part, parts });
  });
  return pieces;
}

/** Whether a device, and its modules with it, are of a piece of their bucket. */
export function isOfPiece(deviceId: string, { part, parts }: Piece): boolean {
  if (parts === 1) return true;
  let hash = 17;
  for (let at = 0; at < deviceId.length; at += 1) hash = (Math.imul(hash, 31) + deviceId.charCodeAt(at)) | 0;
  // The low bits may go with those that have chosen the bucket.
  return ((hash ^ (hash >>> 15)) >>> 7) % parts === part;
}

/** A line of a section; it is parsed once it is wanted. */
export interface ShownLine extends IdentityKey {
  readonly text: string;
}

/** The lines of one bucket, as the store orders its rows: by device id, a device before its modules. Each identity once. */
export interface BucketLines {
  readonly bucket: number;
  readonly lines: readonly ShownLine[];
}

/** The lines of a piece, bucket by bucket. */
export async function readPiece(
  blob: BlockBlobClient,
  { etag, sections }: SplitSnapshot,
  piece: Piece,
): Promise<readonly BucketLines[]> {
  const { firstBucket, buckets } = piece;
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);
  const from = sum(sections.slice(0, firstBucket));
  const count = sum(sections.slice(firstBucket, firstBucket + buckets));
  const found = Array.from({ length: buckets }, (): ShownLine[] => []);
  for await (const batch of count === 0 ? [] : splitLines(bytesOf(blob, etag, { from, count }))) {
    for (const text of batch) {
      const key = keyIn(text);
      if (isOfPiece(key.deviceId, piece)) found[bucketOf(key.deviceId) - firstBucket]?.push({ ...key, text });
    }
  }
  return found.map((lines, at) => ({ bucket: firstBucket + at, lines: inOrder(lines) }));
}

/** Of an identity that a snapshot has twice the first line counts, as in all comparisons. */
function inOrder(lines: ShownLine[]): readonly ShownLine[] {
  return lines.sort(compareKeys).filter((line, at) => at === 0 || compareKeys(lines[at - 1] as ShownLine, line) !== 0);
}

function keyIn(text: string): IdentityKey {
  const [, deviceId, moduleId] = /^\{"deviceId":"([^"\\]+)"(?:,"moduleId":"([^"\\]+)")?/.exec(text) ?? [];
  if (deviceId !== undefined) return moduleId === undefined ? { deviceId } : { deviceId, moduleId };
  const parsed = JSON.parse(text) as ShownIdentity;
  return keyOf(parsed);
}

/** By the codes of their characters. */
export function compareKeys(a: IdentityKey, b: IdentityKey): number {
  if (a.deviceId !== b.deviceId) return a.deviceId < b.deviceId ? -1 : 1;
  const [left, right] = [a.moduleId ?? '', b.moduleId ?? ''];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
