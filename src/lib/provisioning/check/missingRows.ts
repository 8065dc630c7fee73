/** What the lines of a file leave out, beside the staged lines and in their order: one JSON array a line, without keys. */

import type { BlockBlobClient } from '@azure/storage-blob';

import type { MissingField } from '../../devicesFile/lineVerdict.ts';
import { rowsAlong } from '../../storage/ndjson.ts';

/** A line that leaves something out; of one that does not there is none. */
type MissingRow = readonly [id: string, moduleId: string | null, ...fields: MissingField[]];

interface NamedLine {
  readonly id: string;
  readonly moduleId?: string | null | undefined;
}

export function encodeMissingRow({ id, moduleId }: NamedLine, fields: readonly MissingField[]): string {
  return JSON.stringify([id, moduleId ?? null, ...fields] satisfies MissingRow);
}

/** Reads the rows along with the staged lines. */
export interface MissingAlong {
  /** Whether none of the lines that are left leaves anything out: they need not be parsed for that. */
  isOver(): boolean;
  /** What the next line leaves out; undefined: nothing. */
  of(line: NamedLine): Promise<readonly MissingField[] | undefined>;
}

export async function readMissingAlong(blob: BlockBlobClient): Promise<MissingAlong> {
  const { isOver, take } = await rowsAlong<MissingRow>(blob);
  return {
    isOver,
    async of({ id, moduleId }) {
      const row = await take(([ofId, ofModuleId]) => ofId === id && ofModuleId === (moduleId ?? null));
      return row === undefined ? undefined : fieldsOf(row);
    },
  };
}

function fieldsOf([_id, _moduleId, ...fields]: MissingRow): readonly MissingField[] {
  return fields;
}
