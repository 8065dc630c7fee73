/** What a cell of a CSV file stands for. docs/file-format.md has these rules for people. */

import { isBeyondIntegers } from '../exactNumbers.ts';

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

/** What a cell of the twin is taken for. */
export type CellType = 'text' | 'number' | 'boolean' | 'document';

/** The value of a cell as JSON on one line; undefined if nothing is there. */
export function cellJson({ text, quoted }: CsvCell, kind: CellKind): string | undefined {
  if (text === '') return quoted && (kind === 'twin' || kind === 'text') ? '""' : undefined;
  switch (kind) {
    case 'name':
    case 'text':
      return JSON.stringify(text);
    case 'boolean':
      return asBoolean(text) ?? JSON.stringify(text);
    case 'document':
      return asDocument(text) ?? JSON.stringify(text);
    case 'parent':
      // An empty cell says nothing; writers that quote every cell have "" for it.
      return text === 'null' && !quoted ? 'null' : JSON.stringify(text);
    case 'twin': {
      const document = asDocument(text);
      if (document !== undefined || quoted) return document ?? JSON.stringify(text);
      return asBoolean(text) ?? asNumber(text) ?? JSON.stringify(text);
    }
  }
}

/** @param json of a cell */
export function typeOfCell(json: string): CellType {
  switch (json.charAt(0)) {
    case '"':
      return 'text';
    case '{':
    case '[':
      return 'document';
    case 't':
    case 'f':
      return 'boolean';
    default:
      return 'number';
  }
}

/** In any case: spreadsheets write TRUE. */
function asBoolean(text: string): string | undefined {
  const lower = text.length <= 5 ? text.toLowerCase() : '';
  return lower === 'true' || lower === 'false' ? lower : undefined;
}

/** Undefined for what would not come back as it is written (1.10, 007, 1E5, long part numbers): text loses nothing. */
function asNumber(text: string): string | undefined {
  const value = Number(text);
  return Number.isFinite(value) && String(value) === text && !isBeyondIntegers(value) ? text : undefined;
}

/** An object or array, as it is written: line breaks are the only thing that a line of JSON cannot have of it. */
function asDocument(text: string): string | undefined {
  if (!text.startsWith('{') && !text.startsWith('[')) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return text.replace(/[\r\n]+/g, ' ').trimEnd();
}
