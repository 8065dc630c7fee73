/**
 * The lines as the check left them, for a run that has lost what it had filled in: to be compared with the registry, never
 * to be sent.
 */

import type { BlockBlobClient } from '@azure/storage-blob';

import { importModeOf } from '../devicesFile/importMode.ts';
import { readEachLine } from '../storage/readLines.ts';
import type { SentLine } from './aftermath.ts';
import type { MissingRow } from './fillMissing.ts';
import type { RoundLine } from './rounds.ts';

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
  const missing = readEachLine(from.missing);
  let next = await missing.next();
  for await (const text of readEachLine(from.devices)) {
    const line = JSON.parse(text) as RoundLine;
    const sent = { text, asked: text, mode: importModeOf(line) };
    if (next.done) {
      yield { ...sent, line };
      continue;
    }
    const [id, moduleId, ...fields] = JSON.parse(next.value) as MissingRow;
    const isMissing = id === line.id && moduleId === (line.moduleId ?? null);
    if (isMissing) next = await missing.next();
    const statusKept = isMissing && fields.includes('status');
    yield { ...sent, line: statusKept ? { ...line, statusKept } : line };
  }
}
