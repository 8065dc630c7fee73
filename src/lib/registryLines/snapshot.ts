/**
 * A snapshot of a registry: some identities or all of them, as lines of an export in a blob, and what is known of that
 * blob. `takeSnapshot.ts` takes some, `adoptExport.ts` all; what is here decides between them, and reads a snapshot.
 */

import type { ContainerClient } from '@azure/storage-blob';

import { identityOf } from '../devicesFile/identityTable.ts';
import { oneByOne, splitLines } from '../storage/ndjson.ts';
import { bytesOf } from '../storage/readText.ts';
import { isConditionFailed } from '../storage/storageErrors.ts';

/** Up to this many identities are read one by one: as many as a hub of the smallest tier answers in about two minutes. */
export const MOST_READ_SINGLY = 200;

export interface Identity {
  readonly id: string;
  readonly moduleId?: string;
}

/** `single`: one call or two an identity; `export`: the hub writes its whole registry by a job. */
export type SnapshotWay = 'none' | 'single' | 'export';

/** @param identities how many are wanted */
export function snapshotWay(identities: number): SnapshotWay {
  if (identities === 0) return 'none';
  return identities <= MOST_READ_SINGLY ? 'single' : 'export';
}

/** Whether lines have the keys of their identities; a hub that exports without them may say so in a first line of plain text. */
export type SnapshotKeys = 'included' | 'excluded';

/** Where the lines of a snapshot lie. */
export interface SnapshotRef {
  readonly blobName: string;
  /** Of exactly the lines that were verified; absent in what earlier versions noted. */
  readonly etag?: string;
}

/** What was taken, and how it was verified: it can be kept as JSON and holds no key. */
export interface Snapshot extends SnapshotRef {
  readonly container: string;
  /** Name of the hub. */
  readonly hub: string;
  /** `some`: those that were asked for and exist. */
  readonly of: 'some' | 'all';
  readonly way: 'single' | 'export';
  readonly keys: SnapshotKeys;
  /** When its reading began, ISO UTC: what has changed since may be in it, or not. */
  readonly takenAt: string;
  /** Its lines, each of which is an identity in JSON. */
  readonly identities: number;
  /** Of these, how many are modules. */
  readonly modules: number;
  /** Of the whole blob. */
  readonly bytes: number;
  /** Of the whole blob, hexadecimal. */
  readonly sha256: string;
  readonly etag: string;
  /** Of `some`: how many were looked for; those that are not there have no line. */
  readonly asked?: number;
  /** Of an export. */
  readonly job?: { readonly jobId: string; readonly status: string };
}

/** The lines of a snapshot are gone, or others stand in their place. */
export class SnapshotLost extends Error {
  override readonly name = 'SnapshotLost';
  /** As storage answers for a blob that is not there. */
  readonly statusCode = 404;
}

/** Reads a snapshot; each call reads it once, from its beginning. */
export interface SnapshotLines {
  /** Those of identities, as they are written. */
  lines(): AsyncIterableIterator<string>;
  /** The lines of those that are wanted, by identity, in the order of the snapshot; `of` stands for them in `wanted`. */
  find<T>(wanted: ReadonlyMap<string, T>): AsyncGenerator<{ readonly text: string; readonly of: T }>;
}

/** @throws SnapshotLost once it is read */
export function openSnapshot(container: ContainerClient, { blobName, etag }: SnapshotRef): SnapshotLines {
  const blob = container.getBlockBlobClient(blobName);
  async function* batches(): AsyncGenerator<readonly string[], undefined> {
    try {
      for await (const batch of splitLines(bytesOf(blob, etag))) {
        const lines = batch.filter(isIdentityLine);
        if (lines.length > 0) yield lines;
      }
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      throw new SnapshotLost(`The snapshot in ${container.containerName}/${blobName} was written over.`);
    }
    return undefined;
  }
  return {
    lines: () => oneByOne(batches(), (line) => line),
    async *find(wanted) {
      for await (const batch of batches()) {
        for (const text of batch) {
          const of = wanted.get(identityIn(text));
          if (of !== undefined) yield { text: ownCopy(text), of };
        }
      }
    },
  };
}

/** Whoever kept a part of the text would keep all that arrived with it in memory. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}

/** An export may begin with a line of plain text, and end with an empty one. */
export function isIdentityLine(text: string): boolean {
  return text.startsWith('{');
}

export function isModuleLine({ moduleId }: { readonly moduleId?: string | null }): boolean {
  return moduleId !== undefined && moduleId !== null;
}

/** Of a line of the registry; nearly all are devices whose id comes first, and need not be parsed for it. */
function identityIn(text: string): string {
  const [, id] = (text.includes('"moduleId"') ? null : /^\{"id":"([^"\\]*)"/.exec(text)) ?? [];
  return id ?? identityOf(JSON.parse(text) as Identity);
}
