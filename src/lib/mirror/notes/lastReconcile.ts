/** The last reconcile of a hub, for its status: `hubkeeper-mirror/reconciles/ALIAS.json`. */

import { readJson } from '../../storage/jsonBlob.ts';
import { type Containers, noteBlob, writeNote } from './note.ts';

/** What a reconcile found and did: identities, devices and modules together. */
export interface DriftCounts {
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** Of these, how many rows were put right; none in a dry run. */
  readonly repaired: number;
  /** Rows that were not as the snapshot shows them, and are newer: of these it says nothing, and they are in no other count. */
  readonly leftAlone: number;
}

export interface LastReconcile extends DriftCounts {
  readonly runId: string;
  /** When it ended, ISO UTC. */
  readonly at: string;
  readonly dryRun: boolean;
  /** What the registry was read from. */
  readonly from: 'export' | 'backup';
  readonly backup?: string;
  /** Our clock, before the reading of the registry began, ISO UTC. */
  readonly begunAt: string;
  /** Identities that the registry had. */
  readonly identities: number;
}

const nameOf = (hub: string): string => `reconciles/${hub}.json`;

/** @param hub alias */
export async function writeLastReconcile(storage: Containers, hub: string, last: LastReconcile): Promise<void> {
  await writeNote(storage, nameOf(hub), last);
}

/** When the last reconcile of a hub began; undefined: there was none, or it cannot be found out now. */
export async function reconciledAt(storage: Containers, hub: string): Promise<string | undefined> {
  const last = await readLastReconcile(storage, hub).catch(() => undefined);
  return last?.begunAt;
}

/** @param hub alias */
export async function readLastReconcile(storage: Containers, hub: string): Promise<LastReconcile | undefined> {
  return (await readJson<LastReconcile>(noteBlob(storage, nameOf(hub))))?.value;
}
