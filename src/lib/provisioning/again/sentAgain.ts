/**
 * How lines are sent again, long after the pre-image was taken.
 *
 * What was filled into a line is what its device had then: written once more an hour later, it would undo what somebody
 * has changed meanwhile, and let in a device that was blocked. And a line without keys whose device was not there then
 * would give new keys to one that has come meanwhile.
 */

import type { BlockBlobClient } from '@azure/storage-blob';

import { importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { linesOf } from '../../storage/ndjson.ts';
import { memberMap, objectText } from '../../textFile/jsonMembers.ts';
import { readMissingAlong } from '../check/missingRows.ts';
import type { WaveLine } from './waves.ts';

/** `ifUnchanged`: it was filled, and applies to the device as it was; `ifAbsent`: it applies to a new device alone. */
export type Guard = 'ifUnchanged' | 'ifAbsent';

/** A line as it was given to the hub. */
export interface SentText {
  readonly text: string;
  readonly line: WaveLine;
  /** As the file has it. */
  readonly asked: string;
  readonly guard: Guard | undefined;
}

/** Lines as the job was given them, with the guard of each; `unfilled` and `missing` are in the same order. */
export async function* withGuards(
  sent: AsyncIterable<string>,
  from: { readonly unfilled: BlockBlobClient; readonly missing: BlockBlobClient },
): AsyncGenerator<SentText> {
  const unfilled = linesOf(from.unfilled);
  const missing = await readMissingAlong(from.missing);
  for await (const text of sent) {
    const asked = await unfilled.next();
    if (asked.done) throw new Error('More lines were given to the hub than the file has.');
    const line = JSON.parse(text) as WaveLine;
    const isIncomplete = !missing.isOver() && (await missing.of(line)) !== undefined;
    yield { text, line, asked: asked.value, guard: guardOf({ isFilled: text !== asked.value, isIncomplete }) };
  }
}

/** @param line `isFilled`: its device was there; `isIncomplete`: it lacks something */
export function guardOf(line: { readonly isFilled: boolean; readonly isIncomplete: boolean }): Guard | undefined {
  if (line.isFilled) return 'ifUnchanged';
  return line.isIncomplete ? 'ifAbsent' : undefined;
}

/** The line as it is to be sent again. One that was merged applies to the twin as it was anyway. */
export function againText(text: string, guard: Guard | undefined): string {
  if (guard === undefined) return text;
  const line = JSON.parse(text) as WaveLine;
  const { mayOverwrite, [guard]: mode } = MODE_RULES[importModeOf(line)];
  if (!mayOverwrite || mode === undefined) return text;
  const members = memberMap(text).set('importMode', JSON.stringify(mode));
  if (guard === 'ifAbsent') return objectText(members);
  if (line['eTag'] === undefined || line['eTag'] === '') return text;
  // The twin is written as the line says, whoever has changed it.
  members.delete('twinETag');
  return objectText(members);
}
