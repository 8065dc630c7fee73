/** What the lines of a file say of parents, beside the staged lines: one JSON array a line, without keys. */

import type { BlockBlobClient } from '@azure/storage-blob';

import type { ImportMode } from '../../devicesFile/importMode.ts';
import { rowsAlong, rowsOf } from '../../storage/ndjson.ts';

/** A device and the device id of its parent; null: it is to have none. */
export type ParentRow = readonly [id: string, parent: string | null, mode: ImportMode];

export function encodeParentRow(row: ParentRow): string {
  return JSON.stringify(row);
}

export function readParentRows(blob: BlockBlobClient): AsyncIterableIterator<ParentRow> {
  return rowsOf<ParentRow>(blob);
}

/** Reads the rows along with the staged lines, which are in the same order. */
export interface ParentsAlong {
  /** What the next device line says of its parent; undefined: nothing. Modules are not asked for. */
  of(id: string): Promise<string | null | undefined>;
}

export async function readParentsAlong(blob: BlockBlobClient): Promise<ParentsAlong> {
  const { take } = await rowsAlong<ParentRow>(blob);
  return { of: async (id) => (await take(([ofId]) => ofId === id))?.[1] };
}
