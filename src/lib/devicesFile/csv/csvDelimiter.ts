/** Which character parts the cells of a CSV file. */

/** A comma, a semicolon or a tab, or what a first line `sep=…` says. */
export type CsvDelimiter = string;

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const CODES: readonly (readonly [code: number, delimiter: CsvDelimiter])[] = [
  [0x2c, ','],
  [0x3b, ';'],
  [0x09, '\t'],
];

/** Excel's own way to say it, on a line before the header. */
const SEP_LINE = /^"?sep=([^\w\s"]|\t)"?[,;\t ]*\r?\n/i;

/** The delimiter that a first line `sep=;` names, and how many bytes that line has with its end. */
export function readSepLine(
  start: Uint8Array,
): { readonly delimiter: CsvDelimiter; readonly bytes: number } | undefined {
  const [line, delimiter] = SEP_LINE.exec(Buffer.from(start.subarray(0, 32)).toString('latin1')) ?? [];
  return line === undefined || delimiter === undefined ? undefined : { delimiter, bytes: line.length };
}

/**
 * The delimiter that the header (the first line that is not blank) has most of outside quotes; a comma if it has none.
 *
 * @param isAll whether nothing follows `start`
 * @returns undefined while the header has not ended
 */
export function detectDelimiter(start: Uint8Array, isAll: boolean): CsvDelimiter | undefined {
  const counts = new Map<number, number>();
  let quoted = false;
  let blank = true;
  for (const byte of start) {
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (byte !== NEWLINE) counts.set(byte, (counts.get(byte) ?? 0) + 1);
    else if (!blank) return most(counts);
    else counts.clear();
    blank &&= byte <= 0x20;
  }
  return isAll ? most(counts) : undefined;
}

function most(counts: ReadonlyMap<number, number>): CsvDelimiter {
  let best: CsvDelimiter = ',';
  let bestCount = 0;
  for (const [code, delimiter] of CODES) {
    const count = counts.get(code) ?? 0;
    if (count > bestCount) {
      best = delimiter;
      bestCount = count;
    }
  }
  return best;
}
