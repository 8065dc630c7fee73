/** Rows of the mirror as a table that fits the terminal. */

import type { CountView } from '../../src/lib/mirror/query/counts.ts';
import type { RowView } from '../../src/lib/mirror/query/rowView.ts';
import { formatCount, formatDuration, formatPlural, formatTime, largestUnit } from './format.ts';
import { plainText } from './plainText.ts';
import type { TableLook } from './runsTable.ts';
import { type Column, renderTable } from './table.ts';

type ColumnName = 'device' | 'module' | 'hub' | 'status' | 'edge' | 'parent' | 'changed' | 'checked' | 'tags';
type Row = Readonly<Record<ColumnName, string>>;

const COLUMNS: Readonly<Record<ColumnName, Column>> = {
  device: { title: 'DEVICE' },
  module: { title: 'MODULE' },
  hub: { title: 'HUB' },
  status: { title: 'STATUS' },
  edge: { title: 'EDGE' },
  parent: { title: 'PARENT' },
  changed: { title: 'CHANGED', align: 'right' },
  checked: { title: 'CHECKED', align: 'right' },
  tags: { title: 'TAGS' },
};
const ALL = Object.keys(COLUMNS) as ColumnName[];
/** In this order they are left out until there is room for tags. */
const LEFT_OUT: readonly ColumnName[] = ['checked', 'parent', 'changed', 'edge', 'hub'];
/** Tags get what the others leave, and at least so much. */
const LEAST_TAGS = 16;
/** Those that say nothing when they are the same in each row. */
const SAYING_LITTLE: readonly ColumnName[] = ['module', 'hub', 'parent', 'edge'];

/** How the pages of one list are laid out alike. */
export interface DevicesLayout {
  readonly names: readonly ColumnName[];
  readonly widths: Readonly<Record<string, number>>;
}

/** A line for each row; below a head, unless they go on with a list, whose layout is then kept. */
export function renderDevices(
  views: readonly RowView[],
  { now, paint, columns = Number.POSITIVE_INFINITY }: TableLook,
  begun?: DevicesLayout,
): { readonly lines: readonly string[]; readonly layout: DevicesLayout } {
  const rows = views.map((view) => rowOf(view, now));
  const layout = begun ?? layoutOf(rows, columns);
  const others = layout.names.filter((name) => name !== 'tags');
  const [head = '', ...lines] = renderTable(
    others.map((name) => ({ ...COLUMNS[name], width: layout.widths[name] ?? 0 })),
    rows.map((row) => others.map((name) => row[name])),
  );
  const width = Math.max(head.length, ...lines.map((line) => line.length));
  const withTags = (line: string, tags: string): string => {
    const room = columns - width - 2;
    return tags === '' || room < 3 ? line : `${line.padEnd(width)}  ${cutEnd(tags, room)}`;
  };
  const hasTags = layout.names.includes('tags');
  const full = lines.map((line, at) => (hasTags ? withTags(line, rows[at]?.tags ?? '') : line));
  const headLine = paint('dim', hasTags ? withTags(head, COLUMNS.tags.title) : head);
  return { lines: begun === undefined ? [headLine, ...full] : full, layout };
}

function layoutOf(rows: readonly Row[], columns: number): DevicesLayout {
  const widthOf = (name: ColumnName) => Math.max(COLUMNS[name].title.length, ...rows.map((row) => row[name].length));
  const widths = Object.fromEntries(ALL.map((name) => [name, widthOf(name)]));
  const saying = ALL.filter((name) => {
    const cells = new Set(rows.map((row) => row[name]));
    return !SAYING_LITTLE.includes(name) || (name === 'hub' ? cells.size > 1 : [...cells].some((cell) => cell !== '-'));
  });
  const tags = Math.min(LEAST_TAGS, widths['tags'] ?? 0);
  const fits = (names: readonly ColumnName[]): boolean => {
    const others = names.filter((name) => name !== 'tags').reduce((sum, name) => sum + (widths[name] ?? 0) + 2, 0);
    return others + tags <= columns;
  };
  const tries = [...LEFT_OUT.keys(), LEFT_OUT.length].map((count) =>
    saying.filter((name) => !LEFT_OUT.slice(0, count).includes(name)),
  );
  return { names: tries.find(fits) ?? tries.at(-1) ?? saying, widths };
}

function rowOf(view: RowView, now: Date): Row {
  const ago = (at: string | null) =>
    at === null ? 'never' : largestUnit(formatDuration(now.getTime() - Date.parse(at)));
  return {
    device: plainText(view.deviceId),
    module: view.moduleId === undefined ? '-' : plainText(view.moduleId),
    hub: view.hub,
    status: view.status ?? '-',
    edge: view.edge === true ? 'yes' : '-',
    parent: view.parent === null ? '-' : plainText(view.parent),
    changed: ago(view.updatedAt),
    checked: ago(view.checkedAt),
    tags: tagsText(view.tags),
  };
}

/** `site=faro place.floor=3`, by the paths that `--tag` takes. */
export function tagsText(tags: RowView['tags'], before = ''): string {
  return Object.entries(tags)
    .map(([name, value]) => {
      const path = `${before}${plainText(name)}`;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        return tagsText(value as RowView['tags'], `${path}.`);
      }
      return `${path}=${plainText(typeof value === 'string' ? value : JSON.stringify(value))}`;
    })
    .filter((text) => text !== '')
    .join(' ');
}

/** How many there are, and by groups a line each. */
export function renderCount({ devices, modules, by, groups, at }: CountView, { paint }: TableLook): readonly string[] {
  const sum = `${formatPlural(devices, 'device')}, ${formatPlural(modules, 'module')} (counted ${formatTime(at)})`;
  if (by === undefined || groups === undefined) return [sum];
  const [head = '', ...lines] = renderTable(
    [{ title: by }, { title: 'DEVICES', align: 'right' }],
    groups.map(({ value, devices: count }) => [value === null ? '(none)' : shown(value), formatCount(count)]),
  );
  return [paint('dim', head), ...lines, '', sum];
}

function shown(value: string): string {
  return value === '' ? '(empty)' : cutEnd(plainText(value), 60);
}

function cutEnd(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
