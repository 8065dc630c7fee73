/** What the lines of a file leave out, beside the staged lines and in their order: one JSON array a line, without keys. */

import type { BlockBlobClient } from '@azure/storage-blob';

import type { MissingField } from '../../devicesFile/lineVerdict.ts';
import { rowsOf } from '../../storage/ndjson.ts';

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
  const rows = rowsOf<MissingRow>(blob);
  const following = async (): Promise<MissingRow | undefined> => {
    const { done, value } = await rows.next();
    return done ? undefined : value;
  };
  let next = await following();
  return {
    isOver: () => next === undefined,
    async of({ id, moduleId }) {
      const [nextId, nextModuleId, ...fields] = next ?? [];
      if (nextId !== id || nextModuleId !== (moduleId ?? null)) return undefined;
      next = await following();
      return fields;
    },
  };
}
