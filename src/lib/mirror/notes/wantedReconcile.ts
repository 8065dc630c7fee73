/** Notes that ask for a reconcile of a hub, for what is beyond events and refreshes; `mirrorOnTimer` has it begun. */

import { readJson } from '../../storage/jsonBlob.ts';
import { type Containers, dropNote, noteBlob, writeNote } from './note.ts';

/** More rows than these that wait to be read are left to a reconcile, which reads them all by one export. */
export const MOST_PENDING = 20_000;

export interface WantedReconcile {
  /** Alias. */
  readonly hub: string;
  /** A sentence without secrets. */
  readonly reason: string;
  /** ISO UTC: what happened before is to be in it. */
  readonly at: string;
}

const nameOf = (hub: string): string => `wanted-reconcile/${hub}`;

/** Asks for a reconcile that begins after `at`; asked again, the latest counts. */
export async function wantReconcile(storage: Containers, wanted: WantedReconcile): Promise<void> {
  await writeNote(storage, nameOf(wanted.hub), wanted);
}

/** What is asked for of a hub; undefined: nothing. */
export async function readWantedReconcile(
  storage: Containers,
  hub: string,
): Promise<(WantedReconcile & { readonly etag: string }) | undefined> {
  const found = await readJson<WantedReconcile>(noteBlob(storage, nameOf(hub)));
  return found && { ...found.value, etag: found.etag };
}

/** It has begun: the note goes, unless somebody has asked again meanwhile. */
export async function dropWantedReconcile(storage: Containers, hub: string, etag: string): Promise<void> {
  await dropNote(storage, nameOf(hub), etag);
}
