/** What a cell of a CSV file stands for. docs/file-format.md has these rules for people. */

/** A cell as it came; an unquoted one without blanks around it. */
export interface CsvCell {
  readonly text: string;
  readonly quoted: boolean;
}

/**
 * `name`: a text, whatever it looks like; never empty. `text`: one that may be empty. `boolean`: true or false. `twin`:
 * typed by what it looks like. `document`: JSON. `parent`: a name, or null for none.
 */
export type CellKind = 'name' | 'text' | 'boolean' | 'twin' | 'document' | 'parent';

/** A number as JSON writes it (RFC 8259, section 6): no leading zeros, no plus sign. */
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** A double holds every number of so many digits. */
const SAFE_DIGITS = 15;
/** IoT Hub docs, "Understand and use device twins in IoT Hub". */
const HUB_MAX = 4_503_599_627_370_495;
const HUB_MIN = -4_503_599_627_370_496;

/** The value of a cell; undefined if nothing is there. */
export function cellValue({ text, quoted }: CsvCell, kind: CellKind): unknown {
  if (text === '') return quoted && (kind === 'twin' || kind === 'text') ? '' : undefined;
  switch (kind) {
    case 'name':
    case 'text':
      return text;
    case 'boolean':
      return asBoolean(text) ?? text;
    case 'document':
      return asDocument(text) ?? text;
    case 'parent':
      // An empty cell says nothing; writers that quote every cell have "" for it.
      return text === 'null' && !quoted ? null : text;
    case 'twin': {
      const document = asDocument(text);
      if (document !== undefined || quoted) return document ?? text;
      return asBoolean(text) ?? asNumber(text) ?? text;
    }
  }
}

/** In any case: spreadsheets write TRUE. */
function asBoolean(text: string): boolean | undefined {
  const lower = text.length <= 5 ? text.toLowerCase() : '';
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

/** Undefined for what a number would not keep digit for digit (part numbers, ids of other systems): text loses nothing. */
function asNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  if (value > HUB_MAX || value < HUB_MIN || Object.is(value, -0)) return undefined;
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  // An exponent can make nothing of digits (1e-999).
  if (value === 0 && digits !== '') return undefined;
  return digits.length <= SAFE_DIGITS || String(value) === text ? value : undefined;
}

/** An object or array. */
function asDocument(text: string): object | undefined {
  if (!text.startsWith('{') && !text.startsWith('[')) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
