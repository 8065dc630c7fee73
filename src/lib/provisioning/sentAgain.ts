/**
 * How lines are sent again, long after the pre-image was taken.
 *
 * What was filled into a line is what its device had then: written once more an hour later, it would undo what somebody
 * has changed meanwhile, and let in a device that was blocked. And a line without keys whose device was not there then
 * would give new keys to one that has come meanwhile.
 */

import type { BlockBlobClient } from '@azure/storage-blob';

import { importModeOf } from '../devicesFile/importMode.ts';
import { readEachLine } from '../storage/readLines.ts';
import type { MissingRow } from './fillMissing.ts';
import type { RoundLine } from './rounds.ts';

/** `ifUnchanged`: it was filled, and applies to the device as it was; `ifAbsent`: it applies to a new device alone. */
export type Guard = 'ifUnchanged' | 'ifAbsent';

/** Lines as the job was given them, with the guard of each; `unfilled` and `missing` are in the same order. */
export async function* withGuards(
  sent: AsyncIterable<string>,
  from: { readonly unfilled: BlockBlobClient; readonly missing: BlockBlobClient },
): AsyncGenerator<{ readonly text: string; readonly guard: Guard | undefined }> {
  const unfilled = readEachLine(from.unfilled);
  const missing = readEachLine(from.missing);
  let next = await missing.next();
  for await (const text of sent) {
    const before = (await unfilled.next()).value;
    let isIncomplete = false;
    if (!next.done) {
      const { id, moduleId } = JSON.parse(text) as RoundLine;
      const [missingId, missingModuleId] = JSON.parse(next.value) as MissingRow;
      isIncomplete = missingId === id && missingModuleId === (moduleId ?? null);
      if (isIncomplete) next = await missing.next();
    }
    yield { text, guard: text !== before ? 'ifUnchanged' : isIncomplete ? 'ifAbsent' : undefined };
  }
}

const IF_UNCHANGED = { update: 'updateIfMatchETag', createOrUpdate: 'createOrUpdateIfMatchETag' } as const;

/** The line as it is to be sent again. */
export function againText(text: string, guard: Guard | undefined): string {
  if (guard === undefined) return text;
  const line = JSON.parse(text) as RoundLine;
  const mode = importModeOf(line);
  if (mode !== 'update' && mode !== 'createOrUpdate') return text;
  if (guard === 'ifAbsent') return mode === 'update' ? text : JSON.stringify({ ...line, importMode: 'create' });
  if (line['eTag'] === undefined || line['eTag'] === '') return text;
  // The twin is written as the line says, whoever has changed it.
  const { twinETag: _twinETag, ...rest } = line;
  return JSON.stringify({ ...rest, importMode: IF_UNCHANGED[mode] });
}
