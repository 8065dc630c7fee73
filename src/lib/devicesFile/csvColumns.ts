/** The header of a CSV file: which column is which field of a line. */

import { type CellKind, type CsvCell, cellValue } from './csvCells.ts';
import { FileRefused } from './fileRefused.ts';
import { displayName, type Note } from './findings.ts';
import { describe, WARNINGS } from './reasons.ts';

export interface CsvColumns {
  /** Of the header, unknown ones too. */
  readonly count: number;
  /** Columns that are not known. */
  readonly notes: readonly Note[];
  /** A row as the line of JSON that it stands for. */
  lineOf(cells: readonly CsvCell[]): string;
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

/**
 * Reads the header.
 *
 * @param line where the header stands
 * @throws FileRefused if rows under this header cannot be understood; names columns only where they are no secrets
 */
export function readCsvColumns(header: readonly CsvCell[], line: number): CsvColumns {
  const known: (Column & { readonly order: number })[] = [];
  const unknown: { readonly number: number; readonly name: string }[] = [];
  for (const [index, { text }] of header.entries()) {
    const column = columnOf(text.trim(), index, line);
    if (column === undefined) unknown.push({ number: index + 1, name: text.trim() });
    else known.push(column);
  }
  if (!known.some(({ path }) => path.join('.') === 'id')) {
    const meant = unknown.find(({ name }) => suggestion(name) === 'id');
    if (meant !== undefined) throw new FileRefused('csvNoId', { line, values: { hint: ` (column ${shown(meant)})` } });
    throw new FileRefused(known.length === 0 ? 'csvNoHeader' : 'csvNoId', { line });
  }
  refuseClashes(known, line);

  const columns = known.sort((a, b) => a.order - b.order || a.index - b.index);
  return {
    count: header.length,
    notes: unknown.map((column) => {
      const meant = suggestion(column.name);
      const hint = meant === undefined ? '' : `; perhaps "${meant}" is meant`;
      return {
        code: 'unknownColumn',
        message: describe(WARNINGS.unknownColumn, { column: shown(column), hint }),
      };
    }),
    lineOf(cells) {
      const root = emptyObject();
      for (const { index, path, kind } of columns) {
        const cell = cells[index];
        const value = cell === undefined ? undefined : cellValue(cell, kind);
        if (value !== undefined) put(root, path, value);
      }
      return JSON.stringify(root);
    },
  };
}

function columnOf(name: string, index: number, line: number): (Column & { order: number }) | undefined {
  const lower = name.toLowerCase();
  const fixed = FIELD_BY_LOWER_CASE.get(lower);
  if (fixed !== undefined) {
    const [path, kind] = fixed.field;
    return { index, path: path.split('.'), kind, order: fixed.order };
  }
  const found = SECTIONS.find(({ start }) => lower.startsWith(start));
  if (found === undefined) return undefined;
  const { start, section } = found;
  const keys = name.slice(start.length).split('.');
  if (keys.includes('')) {
    throw new FileRefused('csvColumnName', { line, values: { column: shown({ number: index + 1, name }) } });
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

/** The field that somebody means who writes its last part in another way: `deviceId`, `primary_key`, `iotEdge`. */
function suggestion(name: string): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const wanted = plain(name);
  if (wanted === 'deviceid') return 'id';
  const [field] =
    FIELDS.find(([path]) => [path, path.slice(path.lastIndexOf('.') + 1)].map(plain).includes(wanted)) ?? [];
  if (field !== undefined) return field;
  if (/^desired\./i.test(name)) return 'properties.desired.…';
  return /^tag\./i.test(name) ? 'tags.…' : undefined;
}

/** `3 "colour"`. A file without header has values, keys of devices too, where names belong. */
function shown({ number, name }: { readonly number: number; readonly name: string }): string {
  return `${number} "${name.split(/[.:]/).map(displayName).join('.')}"`;
}

function shownPath(path: readonly string[]): string {
  return path.map(displayName).join('.');
}

/** Without prototype: a key may be called `__proto__`. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function put(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root;
  for (const [depth, key] of path.entries()) {
    if (depth === path.length - 1) {
      at[key] = value;
    } else {
      const inner = (at[key] as Record<string, unknown> | undefined) ?? emptyObject();
      at[key] = inner;
      at = inner;
    }
  }
}
