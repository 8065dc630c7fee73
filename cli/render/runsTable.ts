/** Runs as a table that fits the terminal. */

import type { RunRecord } from '../../src/lib/runKinds.ts';
import { formatCount, formatDuration, largestUnit } from './format.ts';
import { sumOf } from './outcomeCounts.ts';
import type { Paint } from './outcomeText.ts';
import { runDuration, stateStyle } from './runText.ts';
import { KIND_TEXT, phaseText, SHORT_ID, stateText } from './runWords.ts';
import { type Column, renderTable } from './table.ts';

export interface TableLook {
  readonly now: Date;
  readonly paint: Paint;
  /** Width of the terminal; undefined where there is none: then nothing is shortened. */
  readonly columns: number | undefined;
}

type ColumnName = 'run' | 'hub' | 'batch' | 'state' | 'lines' | 'notOk' | 'age' | 'took';
type Row = Readonly<Record<ColumnName, string>>;

const COLUMNS: Readonly<Record<ColumnName, Column>> = {
  run: { title: 'RUN' },
  hub: { title: 'HUB' },
  batch: { title: 'BATCH' },
  state: { title: 'STATE' },
  lines: { title: 'LINES', align: 'right' },
  notOk: { title: 'NOT OK', align: 'right' },
  age: { title: 'AGE', align: 'right' },
  took: { title: 'TOOK', align: 'right' },
};
const ALL = Object.keys(COLUMNS) as ColumnName[];
const SHORT_BATCH = 13;
const SHORT_HUB = 8;

interface Table {
  readonly names: readonly ColumnName[];
  readonly rows: readonly Row[];
}

/** A line for each run below a head. What matters least is shortened or left out until the lines fit. */
export function renderRuns(records: readonly RunRecord[], look: TableLook): readonly string[] {
  const { paint, columns = Number.POSITIVE_INFINITY } = look;
  const table = fitting({ names: ALL, rows: records.map((record) => rowOf(record, look.now)) }, columns);
  const [head = '', ...lines] = render(table);
  return [
    paint('dim', head),
    ...lines.map((line, index) => {
      const [record, row] = [records[index], table.rows[index]];
      if (record === undefined || row === undefined) return line;
      const at = line.lastIndexOf(row.state);
      return `${line.slice(0, at)}${paint(stateStyle(record), row.state)}${line.slice(at + row.state.length)}`;
    }),
  ];
}

function fitting(table: Table, columns: number): Table {
  let narrow = table;
  for (const step of NARROWER) {
    if (widthOf(narrow) <= columns) return narrow;
    narrow = step(narrow);
  }
  const excess = Math.max(0, widthOf(narrow) - columns);
  const widest = Math.max(...narrow.rows.map(({ state }) => state.length));
  return changed(narrow, 'state', (state) => cutEnd(state, Math.max(1, widest - excess)));
}

function widthOf(table: Table): number {
  return Math.max(...render(table).map((line) => line.length));
}

function render({ names, rows }: Table): readonly string[] {
  return renderTable(
    names.map((name) => COLUMNS[name]),
    rows.map((row) => names.map((name) => row[name])),
  );
}

const NARROWER: readonly ((table: Table) => Table)[] = [
  (table) => changed(table, 'run', (id) => id.slice(0, shortIdLength(table.rows))),
  (table) => changed(changed(table, 'age', largestUnit), 'took', largestUnit),
  (table) => without(table, 'took'),
  // The same in every row: it says little.
  (table) => (new Set(table.rows.map(({ hub }) => hub)).size === 1 ? without(table, 'hub') : table),
  (table) => changed(table, 'batch', (batch) => cutMiddle(batch, SHORT_BATCH)),
  (table) => changed(table, 'hub', (hub) => cutEnd(hub, SHORT_HUB)),
  (table) =>
    changed(table, 'state', (state) =>
      state.replace('completed with', 'with').replace('waiting its turn,', 'waiting,'),
    ),
];

function changed(table: Table, name: ColumnName, change: (cell: string) => string): Table {
  return { ...table, rows: table.rows.map((row) => ({ ...row, [name]: change(row[name]) })) };
}

function without(table: Table, name: ColumnName): Table {
  return { ...table, names: table.names.filter((other) => other !== name) };
}

function shortIdLength(rows: readonly Row[]): number {
  let length = SHORT_ID;
  while (new Set(rows.map(({ run }) => run.slice(0, length))).size < new Set(rows.map(({ run }) => run)).size)
    length += 1;
  return length;
}

function cutEnd(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** Names that begin alike differ at their end. */
function cutMiddle(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - end)}…${text.slice(-end)}`;
}

function rowOf(record: RunRecord, now: Date): Row {
  const { outcomes } = record;
  const isDry = record.kind === 'provision' && record.options?.dryRun === true;
  return {
    run: record.runId,
    hub: record.hub ?? '-',
    batch: whatItIs(record),
    state: isDry ? `${whatItDoes(record)}, dry run` : whatItDoes(record),
    lines: linesText(record),
    notOk: outcomes === undefined ? '-' : formatCount(outcomes.failed + outcomes.rejected + outcomes.unconfirmed),
    age: formatDuration(now.getTime() - Date.parse(record.createdAt)),
    took: record.finishedAt === undefined ? '-' : formatDuration(runDuration(record, now)),
  };
}

/** Of a run that applies the lines of another, that it does: beside that other one it would look like a second. */
function whatItIs(record: RunRecord): string {
  if (record.kind !== 'provision') return KIND_TEXT[record.kind];
  const { appliedFor, batch } = record;
  return appliedFor === undefined || appliedFor === 'provision' ? batch : `lines of ${KIND_TEXT[appliedFor]}`;
}

function linesText(record: RunRecord): string {
  const { kind, outcomes } = record;
  const lines = kind === 'provision' ? record.check?.lines : outcomes && sumOf(outcomes);
  return lines === undefined ? '-' : formatCount(lines);
}

function whatItDoes({ state, phase, suspendedAt, waiting }: RunRecord): string {
  if (state !== 'running' || phase === undefined) return stateText(state);
  if (suspendedAt !== undefined) return `suspended, ${phaseText(phase)}`;
  return waiting?.position === undefined ? phaseText(phase) : `${phaseText(phase)}, ${waiting.position} ahead`;
}
