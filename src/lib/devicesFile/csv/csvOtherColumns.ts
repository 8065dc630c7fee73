/** Columns of a CSV file that have no effect: what is to be said of them, and which of them may not be passed over. */

import { FileRefused } from '../../textFile/fileRefused.ts';
import { credentialField, isCredentialName, looksLikeCredential } from '../credentialNames.ts';
import { displayHeader, displayName, HIDDEN_NAME, type Note, noteOf } from '../findings.ts';
import type { CsvCell } from './csvCells.ts';
import { FIELDS } from './csvFields.ts';

/** A column that has no effect. */
export interface OtherColumn {
  /** From 1. */
  readonly number: number;
  /** May be empty. */
  readonly name: string;
  /** It is a section's, but the hub's own to write. */
  readonly isOfHub?: true;
}

export interface OtherColumns {
  /** Of the names in the header. */
  readonly notes: readonly Note[];
  /** @throws FileRefused if one of them has a key or the like in this row */
  look(cells: readonly CsvCell[], line: number): void;
  /** Of values without a name in the rows so far. */
  findings(): readonly (Note & { readonly line: number })[];
}

/**
 * @param line where the header stands
 * @throws FileRefused if the name of one is that of a key or the like
 */
export function createOtherColumns(others: readonly OtherColumn[], line: number): OtherColumns {
  const named = others.filter(({ name }) => name !== '');
  const credentials = named.filter(({ name }) => isCredentialName(name));
  if (credentials.length > 0) throw keyColumns(credentials, 'looks', line);
  /** Lines with the first value in a column without a name. */
  const nameless = new Map<OtherColumn, number>();
  return {
    notes: named.map((column) => noteOf('unknownColumn', { column: shown(column), hint: hintFor(column) })),
    look(cells, at) {
      for (const column of others) {
        const { text = '' } = cells[column.number - 1] ?? {};
        if (text === '') continue;
        if (looksLikeCredential(text)) throw keyColumns([column], 'has what looks', at);
        if (column.name === '' && !nameless.has(column)) nameless.set(column, at);
      }
    },
    findings: () =>
      Array.from(nameless, ([{ number }, at]) => ({ line: at, ...noteOf('namelessColumn', { column: number }) })),
  };
}

const KEY_COLUMNS_TOLD = 5;

/** @param looks how it shows, of one column */
function keyColumns(columns: readonly OtherColumn[], looks: string, line: number): FileRefused {
  const isOne = columns.length === 1;
  const told = columns.slice(0, KEY_COLUMNS_TOLD).map(shown).join(', ');
  const others = columns.length > KEY_COLUMNS_TOLD ? ` and ${columns.length - KEY_COLUMNS_TOLD} more` : '';
  const what = isOne
    ? `Column ${told} ${looks} like a key or another credential`
    : `Columns ${told}${others} look like keys or other credentials`;
  const fields = columns.flatMap(({ name }) => credentialField(name) ?? []);
  const field =
    fields.length === columns.length
      ? fields.map((each) => `"${each}"`).join(', ')
      : 'as the format has it, such as "authentication.symmetricKey.primaryKey"';
  return new FileRefused('csvKeyColumn', { line, values: { keys: what, field, them: isOne ? 'it' : 'them' } });
}

/** What a column that is not known may be meant for. */
function hintFor({ name, isOfHub }: OtherColumn): string {
  if (isOfHub) return '; the hub writes it itself';
  const meant = suggestion(name);
  if (meant !== undefined) return `; perhaps "${meant}" is meant`;
  const tag = asKey(name);
  return tag === undefined ? '' : `; "tags.${tag}" would make it a tag`;
}

/** A name without what keys may not have: `Serial No` as `SerialNo`. Undefined if that may not be shown. */
export function asKey(name: string): string | undefined {
  if (displayHeader(name).includes(HIDDEN_NAME)) return undefined;
  const key = name.replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '');
  return key !== '' && displayHeader(key) === key ? key : undefined;
}

/** Names of the column with the ids in which nothing else can be meant, without what stands between the words. */
const ID_NAMES = new Set('deviceid deviceids ids iddevice devicename device geräteid gerätid geraeteid'.split(' '));

/** The field that somebody means who writes its last part in another way: `deviceId`, `primary_key`, `iotEdge`. */
export function suggestion(name: string): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const wanted = plain(name);
  if (ID_NAMES.has(wanted)) return 'id';
  // A type is most often that of the device.
  if (wanted === 'type') return undefined;
  const [field] =
    FIELDS.find(([path]) => [path, path.slice(path.lastIndexOf('.') + 1)].map(plain).includes(wanted)) ?? [];
  if (field !== undefined) return field;
  if (/^desired\./i.test(name)) return 'properties.desired.…';
  return /^tag\./i.test(name) ? 'tags.…' : undefined;
}

/** `3 "colour"`. A file without header has values, keys of devices too, where names belong. */
export function shown({ number, name }: { readonly number: number; readonly name: string }): string {
  return name === '' ? `${number} (without a name)` : `${number} "${displayHeader(name)}"`;
}

export function shownPath(path: readonly string[]): string {
  return path.map(displayName).join('.');
}
