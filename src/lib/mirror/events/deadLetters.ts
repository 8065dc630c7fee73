/**
 * Events that cannot be applied: `dead-letters/SOURCE/PARTITION/SEQUENCE-CODE.json`, with the reason and the event as it
 * came, so that it can be fed again.
 */

import { MIRROR_CONTAINER } from '../../storage/storage.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import { measure } from '../../telemetry/telemetry.ts';
import { type Containers, dropNote, writeNote } from '../notes/note.ts';
import type { EventPlace, MirrorEvent } from '../rows/mirrorEvent.ts';
import type { Fields } from '../rows/row.ts';
import type { DeadReason } from './deadLetterTexts.ts';
import type { RawEvent } from './rawBatch.ts';

export interface DeadLetter {
  readonly reason: DeadReason;
  readonly place: EventPlace;
  /** Our clock, ISO UTC. */
  readonly at: string;
  /** As it came. */
  readonly raw?: StoredRaw;
  /** As it was read. */
  readonly event?: MirrorEvent;
}

export interface Refused {
  readonly event: MirrorEvent;
  readonly reason: DeadReason;
}

export interface StoredRaw {
  /** Base64; absent: it was lost. */
  readonly body?: string;
  readonly properties: Fields;
  readonly annotations: Fields;
}

const PREFIX = 'dead-letters/';
const AT_ONCE = 8;

export function deadLetterOf(reason: DeadReason, { place, body, ...fields }: RawEvent, at: string): DeadLetter {
  const base64 = body && Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64');
  return { reason, place, at, raw: { ...fields, ...(base64 === undefined ? {} : { body: base64 }) } };
}

/** What the store refuses. */
export function lettersOf(refused: readonly Refused[], now: Date): readonly DeadLetter[] {
  return refused.map(({ event, reason }) => ({ reason, place: event.place, at: now.toISOString(), event }));
}

export function rawOf({ place }: DeadLetter, { body, ...fields }: StoredRaw): RawEvent {
  return { place, ...fields, ...(body === undefined ? {} : { body: Buffer.from(body, 'base64') }) };
}

/** Written again, it is the same blob. */
export async function writeDeadLetters(storage: Containers, letters: readonly DeadLetter[]): Promise<void> {
  for (let at = 0; at < letters.length; at += AT_ONCE) {
    await Promise.all(letters.slice(at, at + AT_ONCE).map((letter) => writeNote(storage, nameOf(letter), letter)));
  }
  for (const { reason } of letters) measure('hubkeeper.mirror.dead_letters', 1, { reason: reason.code });
}

function nameOf({ place: { source, partition, sequence }, reason, event }: DeadLetter): string {
  // Events of one place can be several: those of the modules that go with a device.
  const of = event?.moduleId === undefined ? '' : `-${encodeURIComponent(event.moduleId)}`;
  return `${PREFIX}${source}/${partition}/${sequence}${of}-${reason.code}.json`;
}

export async function* deadLetterNames(storage: Containers): AsyncGenerator<string> {
  yield* blobNames(storage, PREFIX);
}

/** A reconcile has put right what they were about, long before. */
export const DEAD_LETTER_DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;

/** Removes letters that nobody has had fed again for so long. @returns how many */
export async function dropOldLetters(storage: Containers, now: Date): Promise<number> {
  const old = now.getTime() - DEAD_LETTER_DAYS * DAY_MS;
  const container = storage.container(MIRROR_CONTAINER);
  let dropped = 0;
  try {
    for await (const { name, properties } of container.listBlobsFlat({ prefix: PREFIX })) {
      if (properties.lastModified.getTime() >= old) continue;
      // One that was written anew meanwhile stays.
      if (properties.etag !== undefined) await dropNote(storage, name, properties.etag);
      dropped += 1;
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return dropped;
}

/** Names of blobs in the container of the mirror, which need not be there. */
export async function* blobNames(storage: Containers, prefix: string): AsyncGenerator<string> {
  try {
    for await (const { name } of storage.container(MIRROR_CONTAINER).listBlobsFlat({ prefix })) yield name;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
