/** The header of a CSV file: which column is which field of a line, and what is to be said of columns. */

import { credentialField, isCredentialName, looksLikeCredential } from './credentialNames.ts';
import { type CellKind, type CsvCell, cellJson } from './csvCells.ts';
import { type ColumnTypes, createColumnTypes } from './csvTypes.ts';
import { FileRefused } from './fileRefused.ts';
import { displayHeader, displayName, HIDDEN_NAME, type Note } from './findings.ts';
import { describe, WARNINGS } from './reasons.ts';
import { forbiddenInKey } from './twinRules.ts';

export interface CsvColumns {
  /** Of the header, unknown ones too. */
  readonly count: number;
  /** Columns that are not known. */
  readonly notes: readonly Note[];
  /**
   * A row as the line of JSON that it stands for.
   *
   * @throws FileRefused if a column that is not known has a key or the like in this row
   */
  lineOf(cells: readonly CsvCell[], line: number): string;
  /** What the rows so far have shown of the columns: types that are mixed, values without a name. */
  findings(): readonly (Note & { readonly line?: number })[];
}

interface Column {
  /** Position in the row, from 0. */
  readonly index: number;
  readonly path: readonly string[];
  readonly kind: CellKind;
}

/** In the order in which lines have their fields. `tags` and `properties.desired` are sections, see below. */
const FIELDS: readonly (readonly [path: string, kind: CellKind])[] = [
  ['id', 'name'],
  ['moduleId', 'name'],
  ['eTag', 'name'],
  ['importMode', 'name'],
  ['status', 'name'],
  ['statusReason', 'text'],
  ['authentication.symmetricKey.primaryKey', 'name'],
  ['authentication.symmetricKey.secondaryKey', 'name'],
  ['authentication.x509Thumbprint.primaryThumbprint', 'name'],
  ['authentication.x509Thumbprint.secondaryThumbprint', 'name'],
  ['authentication.type', 'name'],
  ['twinETag', 'name'],
  ['tags', 'document'],
  ['properties.desired', 'document'],
  ['capabilities.iotEdge', 'boolean'],
  ['deviceScope', 'name'],
  ['parentScopes', 'document'],
  // No field of the hub's format: the device id of the edge parent.
  ['parent', 'parent'],
];
const FIELD_BY_LOWER_CASE = new Map(FIELDS.map((field, order) => [field[0].toLowerCase(), { field, order }]));

/** Beginnings of columns of the twin. TAG: and PROPERTY: are what the export of IoT Hub Portal writes. */
const SECTIONS: readonly { readonly start: string; readonly section: string }[] = [
  { start: 'tags.', section: 'tags' },
  { start: 'tag:', section: 'tags' },
  { start: 'properties.desired.', section: 'properties.desired' },
  { start: 'property:', section: 'properties.desired' },
];

/** A column that has no effect. */
interface OtherColumn {
  /** From 1. */
  readonly number: number;
  /** May be empty. */
  readonly name: string;
  /** It is a section's, but the hub's own to write. */
  readonly isOfHub?: true;
}

/**
 * Reads the header.
 *
 * @param line where the header stands
 * @throws FileRefused if rows under this header cannot be understood; names columns only where they are no secrets
 */
export function readCsvColumns(header: readonly CsvCell[], line: number): CsvColumns {
  const named = header.map(({ text }, index) => ({ number: index + 1, name: text.trim() }));
  if (!named.some(({ name }) => name.toLowerCase() === 'id')) refuseWithoutId(named, line);
  const known: (Column & { readonly order: number })[] = [];
  const others: OtherColumn[] = [];
  for (const { number, name } of named) {
    const column = columnOf(name, number - 1, line);
    if (column !== undefined) known.push(column);
    else others.push({ number, name, ...(ofHub(name) ? { isOfHub: true } : {}) });
  }
  refuseClashes(known, line);
  const unknown = others.filter(({ name }) => name !== '');
  const credentials = unknown.filter(({ name }) => isCredentialName(name));
  if (credentials.length > 0) throw keyColumns(credentials, 'looks', line);

  const columns = known
    .sort((a, b) => a.order - b.order || a.index - b.index)
    .map((column) => ({
      ...column,
      keys: column.path.map((key) => JSON.stringify(key)),
      types: column.kind === 'twin' ? createColumnTypes(isCredentialName(shownPath(column.path))) : undefined,
    }));
  /** Lines with the first value in a column without a name. */
  const nameless = new Map<OtherColumn, number>();

  function lookAtOthers(cells: readonly CsvCell[], at: number): void {
    for (const column of others) {
      const { text = '' } = cells[column.number - 1] ?? {};
      if (text === '') continue;
      if (looksLikeCredential(text)) throw keyColumns([column], 'has what looks', at);
      if (column.name === '' && !nameless.has(column)) nameless.set(column, at);
    }
  }

  return {
    count: header.length,
    notes: unknown.map((column) => ({
      code: 'unknownColumn',
      message: describe(WARNINGS.unknownColumn, { column: shown(column), hint: hintFor(column) }),
    })),
    lineOf(cells, at) {
      const root: Members = new Map();
      for (const { index, keys, kind, types } of columns) {
        const cell = cells[index];
        const json = cell === undefined ? undefined : cellJson(cell, kind);
        if (cell === undefined || json === undefined) continue;
        put(root, keys, json);
        types?.add(json, cell.text, at);
      }
      if (others.length > 0) lookAtOthers(cells, at);
      return jsonOf(root);
    },
    findings: () => [
      ...columns.flatMap(({ index, path, types }) => mixed(`${index + 1} "${shownPath(path)}"`, types)),
      ...Array.from(nameless, ([{ number }, at]): Note & { line: number } => ({
        line: at,
        code: 'namelessColumn',
        message: describe(WARNINGS.namelessColumn, { column: number }),
      })),
    ],
  };
}

function mixed(column: string, types: ColumnTypes | undefined): Note[] {
  const examples = types?.examples();
  if (examples === undefined) return [];
  const hint = types?.hasComma() ? '; numbers have a point, not a comma' : '';
  return [{ code: 'mixedColumn', message: describe(WARNINGS.mixedColumn, { column, examples, hint }) }];
}

function refuseWithoutId(named: readonly OtherColumn[], line: number): never {
  const meant = named.find(({ name }) => suggestion(name) === 'id');
  const isHeader = named.some(
    ({ name }) => FIELD_BY_LOWER_CASE.has(name.toLowerCase()) || sectionOf(name) !== undefined,
  );
  if (meant === undefined && !isHeader) throw new FileRefused('csvNoHeader', { line });
  const ids = meant === undefined ? 'the column with the device ids' : `column ${shown(meant)}`;
  throw new FileRefused('csvNoId', { line, values: { ids } });
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
function asKey(name: string): string | undefined {
  if (displayHeader(name).includes(HIDDEN_NAME)) return undefined;
  const key = name.replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '');
  return key !== '' && displayHeader(key) === key ? key : undefined;
}

/** What a hub adds to the sections of a twin. */
function ofHub(name: string): boolean {
  const section = sectionOf(name);
  return section !== undefined && /^\$(?:metadata|version)(?:\.|$)/i.test(name.slice(section.start.length));
}

function sectionOf(name: string): (typeof SECTIONS)[number] | undefined {
  const lower = name.toLowerCase();
  return SECTIONS.find(({ start }) => lower.startsWith(start));
}

function columnOf(name: string, index: number, line: number): (Column & { order: number }) | undefined {
  const fixed = FIELD_BY_LOWER_CASE.get(name.toLowerCase());
  if (fixed !== undefined) {
    const [path, kind] = fixed.field;
    return { index, path: path.split('.'), kind, order: fixed.order };
  }
  const found = sectionOf(name);
  if (found === undefined || ofHub(name)) return undefined;
  const { start, section } = found;
  const keys = name.slice(start.length).split('.');
  const column = shown({ number: index + 1, name });
  if (keys.includes('')) throw new FileRefused('csvColumnName', { line, values: { column } });
  for (const key of keys) {
    const character = forbiddenInKey(key);
    if (character === undefined) continue;
    const better = keys.map(asKey);
    const hint = better.includes(undefined) ? '' : `, such as "${[section, ...better].join('.')}"`;
    throw new FileRefused('csvColumnKey', { line, values: { column, character, hint } });
  }
  const order = FIELD_BY_LOWER_CASE.get(section)?.order ?? FIELDS.length;
  return { index, path: [...section.split('.'), ...keys], kind: 'twin', order };
}

/** Two columns of one name, or one that holds the other (`tags.a`, `tags.a.b`), have no meaning together. */
function refuseClashes(columns: readonly Column[], line: number): void {
  // A line break is in no key that a hub takes; with it, no key looks like two.
  const keyOf = (path: readonly string[]): string => path.join('\n');
  const byPath = new Map<string, Column>();
  for (const column of columns) {
    const other = byPath.get(keyOf(column.path));
    if (other !== undefined) {
      const values = { name: shownPath(column.path), first: other.index + 1, second: column.index + 1 };
      throw new FileRefused('csvColumnTwice', { line, values });
    }
    byPath.set(keyOf(column.path), column);
  }
  for (const { path, index } of columns) {
    for (let length = 1; length < path.length; length += 1) {
      const outer = byPath.get(keyOf(path.slice(0, length)));
      if (outer !== undefined) {
        const values = {
          outer: `${outer.index + 1} "${shownPath(outer.path)}"`,
          inner: `${index + 1} "${shownPath(path)}"`,
        };
        throw new FileRefused('csvColumnConflict', { line, values });
      }
    }
  }
}

/** Names of the column with the ids in which nothing else can be meant, without what stands between the words. */
const ID_NAMES = new Set([
  'deviceid',
  'deviceids',
  'ids',
  'iddevice',
  'devicename',
  'device',
  'geräteid',
  'gerätid',
  'geraeteid',
]);

/** The field that somebody means who writes its last part in another way: `deviceId`, `primary_key`, `iotEdge`. */
function suggestion(name: string): string | undefined {
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
function shown({ number, name }: { readonly number: number; readonly name: string }): string {
  return name === '' ? `${number} (without a name)` : `${number} "${displayHeader(name)}"`;
}

function shownPath(path: readonly string[]): string {
  return path.map(displayName).join('.');
}

/** Members of an object: a key as JSON, and a value as JSON or an object that is still being made. */
type Members = Map<string, string | Members>;

function put(root: Members, keys: readonly string[], json: string): void {
  let at = root;
  for (const [depth, key] of keys.entries()) {
    if (depth === keys.length - 1) {
      at.set(key, json);
      return;
    }
    const inner = at.get(key);
    // No column holds what another is a part of.
    const next: Members = typeof inner === 'object' ? inner : new Map();
    if (next !== inner) at.set(key, next);
    at = next;
  }
}

/** As deep as the name of a column has parts. */
function jsonOf(members: Members): string {
  const parts: string[] = [];
  for (const [key, value] of members) parts.push(`${key}:${typeof value === 'string' ? value : jsonOf(value)}`);
  return `{${parts.join(',')}}`;
}
