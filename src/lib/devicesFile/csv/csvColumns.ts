/** The header of a CSV file: which column is which field of a line, and what is to be said of columns. */

import { FileRefused } from '../../textFile/fileRefused.ts';
import { isCredentialName } from '../credentialNames.ts';
import { type Note, noteOf } from '../findings.ts';
import { forbiddenInKey } from '../twinRules.ts';
import { type CellKind, type CsvCell, cellJson } from './csvCells.ts';
import { FIELD_BY_LOWER_CASE, FIELDS, ofHub, sectionOf } from './csvFields.ts';
import { asKey, createOtherColumns, type OtherColumn, shown, shownPath, suggestion } from './csvOtherColumns.ts';
import { type ColumnTypes, createColumnTypes } from './csvTypes.ts';

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

/**
 * Reads the header.
 *
 * @param line where the header stands
 * @throws FileRefused if rows under this header make no sense; names columns only where they are no secrets
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
  const other = createOtherColumns(others, line);

  const columns = known
    .sort((a, b) => a.order - b.order || a.index - b.index)
    .map((column) => ({
      ...column,
      keys: column.path.map((key) => JSON.stringify(key)),
      types: column.kind === 'twin' ? createColumnTypes(isCredentialName(shownPath(column.path))) : undefined,
    }));

  return {
    count: header.length,
    notes: other.notes,
    lineOf(cells, at) {
      const root: Members = new Map();
      for (const { index, keys, kind, types } of columns) {
        const cell = cells[index];
        const json = cell === undefined ? undefined : cellJson(cell, kind);
        if (cell === undefined || json === undefined) continue;
        put(root, keys, json);
        types?.add(json, cell.text, at);
      }
      if (others.length > 0) other.look(cells, at);
      return jsonOf(root);
    },
    findings: () => [
      ...columns.flatMap(({ index, path, types }) => mixed(`${index + 1} "${shownPath(path)}"`, types)),
      ...other.findings(),
    ],
  };
}

function mixed(column: string, types: ColumnTypes | undefined): Note[] {
  const examples = types?.examples();
  if (examples === undefined) return [];
  const hint = types?.hasComma() ? '; numbers have a point, not a comma' : '';
  return [noteOf('mixedColumn', { column, examples, hint })];
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
