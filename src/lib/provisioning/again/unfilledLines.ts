/**
 * The lines as the check left them, for a run that has lost what it had filled in: to be compared with the registry, never
 * to be sent.
 */

import type { BlockBlobClient } from '@azure/storage-blob';
import { type ImportMode, importModeOf } from '../../devicesFile/importMode.ts';
import { linesOf } from '../../storage/ndjson.ts';
import { readMissingAlong } from '../check/missingRows.ts';
import type { Guard } from './sentAgain.ts';
import type { WaveLine } from './waves.ts';

/** A line as it was given to the hub, and how it may be given to it again. */
export interface SentLine {
  readonly text: string;
  readonly line: WaveLine;
  /** As the file has it. */
  readonly asked: string;
  /** As the file asks: a line that merges is sent under an ETag. */
  readonly mode: ImportMode;
  readonly guard?: Guard | undefined;
}

/**
 * A line that says nothing of the status was given that of its device: it is marked (`statusKept`), for the status that
 * the check wrote in is a filler, and says nothing (`agreement`).
 *
 * @param from both in the same order
 */
export async function* unfilledLines(from: {
  readonly devices: BlockBlobClient;
  readonly missing: BlockBlobClient;
}): AsyncGenerator<SentLine> {
  const missing = await readMissingAlong(from.missing);
  for await (const text of linesOf(from.devices)) {
    const line = JSON.parse(text) as WaveLine;
    const statusKept = (await missing.of(line))?.includes('status') === true;
    yield { text, asked: text, mode: importModeOf(line), line: statusKept ? { ...line, statusKept } : line };
  }
}
