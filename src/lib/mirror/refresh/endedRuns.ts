/**
 * Notes of runs that have changed a hub, or may have: `runs/RUN` in the container of the mirror. Import jobs may emit no
 * events at all, so each run hands over what it has touched; its note is written before its record is final, and goes when
 * all of it stands in the queue.
 */

import type { RunBase, RunKind } from '../../runs/runRecord.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { MIRROR_CONTAINER } from '../../storage/storage.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import { type Containers, dropNote, noteBlob, writeNote } from '../notes/note.ts';

const FOLDER = 'runs/';

/** Kinds that change no hub. */
const HARMLESS: readonly RunKind[] = ['backup', 'verify', 'plan', 'reconcile'];

export interface EndedRun {
  readonly runId: string;
  /** Of what it has touched, so many are in the queue already. */
  readonly position: number;
  readonly etag: string;
}

/** Notes a run that is about to end: the door of `RunContext.beforeEnd`. Whether it has changed anything is found out later. */
export async function noteEndingRun(storage: Containers, { runId, kind, hub }: RunBase): Promise<void> {
  // One that knows of no hub has changed none.
  if (hub === undefined || HARMLESS.includes(kind)) return;
  await writeNote(storage, nameOf(runId), { position: 0 }, { metadata: { hub } });
}

/** Aliases of hubs, with the runs whose notes name them. */
export async function endedRuns(storage: Containers): Promise<ReadonlyMap<string, readonly string[]>> {
  const runs = new Map<string, string[]>();
  try {
    const container = storage.container(MIRROR_CONTAINER);
    for await (const { name, metadata } of container.listBlobsFlat({ prefix: FOLDER, includeMetadata: true })) {
      const hub = metadata?.['hub'] ?? '';
      runs.set(hub, [...(runs.get(hub) ?? []), name.slice(FOLDER.length)]);
    }
  } catch (error) {
    // Before anything of the mirror was written.
    if (!isNotFound(error)) throw error;
  }
  return runs;
}

/** Undefined: somebody else has handed it over. */
export async function readEndedRun(storage: Containers, runId: string): Promise<EndedRun | undefined> {
  const note = await readJson<{ readonly position: number }>(noteBlob(storage, nameOf(runId)));
  return note && { runId, position: note.value.position, etag: note.etag };
}

/** @returns undefined when somebody else is at it */
export async function movePosition(
  storage: Containers,
  { runId, etag }: EndedRun,
  position: number,
  hub: string,
): Promise<EndedRun | undefined> {
  const moved = await writeNote(storage, nameOf(runId), { position }, { ifMatch: etag, metadata: { hub } });
  return moved === undefined ? undefined : { runId, position, etag: moved };
}

export async function dropEndedRun(storage: Containers, { runId, etag }: EndedRun): Promise<void> {
  await dropNote(storage, nameOf(runId), etag);
}

function nameOf(runId: string): string {
  return `${FOLDER}${runId}`;
}
