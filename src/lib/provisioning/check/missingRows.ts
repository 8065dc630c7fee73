/** What the lines of a file leave out, beside the staged lines and in their order: one JSON array a line, without keys. */

import type { BlockBlobClient } from '@azure/storage-blob';

import type { MissingField } from '../../devicesFile/checkLine.ts';
import { readEachLine } from '../../storage/readLines.ts';

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
  const rows = readEachLine(blob);
  const following = async (): Promise<MissingRow | undefined> => {
    const { done, value } = await rows.next();
    return done ? undefined : (JSON.parse(value) as MissingRow);
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
