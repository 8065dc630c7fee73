/**
 * Events that wait for a store in trouble: `parked/SOURCE/PARTITION/FIRST-LAST-HUB.json`. They may be applied in any order,
 * before or after those that come later: merging is the same.
 */

import { readJson } from '../../storage/jsonBlob.ts';
import { type Containers, dropNote, noteBlob, writeNote } from '../notes/note.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { blobNames } from './deadLetters.ts';

export interface ParkedBatch {
  /** Alias. */
  readonly hub: string;
  /** Our clock, ISO UTC. */
  readonly at: string;
  readonly events: readonly MirrorEvent[];
}

export interface StoredBatch extends ParkedBatch {
  readonly name: string;
  readonly etag: string;
}

const PREFIX = 'parked/';

/** Parked again, it is the same blob. */
export async function parkBatch(storage: Containers, batch: ParkedBatch): Promise<void> {
  const places = batch.events.map(({ place }) => place);
  const [first, last] = [places.at(0), places.at(-1)];
  if (first === undefined || last === undefined) return;
  const { source, partition } = first;
  await writeNote(
    storage,
    `${PREFIX}${source}/${partition}/${first.sequence}-${last.sequence}-${batch.hub}.json`,
    batch,
  );
}

export async function* parkedNames(storage: Containers): AsyncGenerator<string> {
  yield* blobNames(storage, PREFIX);
}

/** Undefined: somebody else has dropped it. */
export async function readParked(storage: Containers, name: string): Promise<StoredBatch | undefined> {
  const found = await readJson<ParkedBatch>(noteBlob(storage, name));
  return found && { ...found.value, name, etag: found.etag };
}

/** It is applied; one that was parked anew meanwhile stays. */
export async function dropParked(storage: Containers, { name, etag }: StoredBatch): Promise<void> {
  await dropNote(storage, name, etag);
}
