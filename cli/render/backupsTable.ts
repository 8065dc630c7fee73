/** Backups as a table that fits the terminal. */

import type { BackupState, BackupSummary } from '../../src/lib/backup/catalogue.ts';
import { formatBytes, formatCount, formatDuration, largestUnit } from './format.ts';
import type { Style } from './output.ts';
import type { TableLook } from './runsTable.ts';
import { type Column, renderTable } from './table.ts';
import { wrapFinding } from './wrap.ts';

type ColumnName = 'backup' | 'state' | 'devices' | 'modules' | 'configurations' | 'size' | 'keys' | 'verified' | 'age';
type Row = Readonly<Record<ColumnName, string>>;

const COLUMNS: Readonly<Record<ColumnName, Column>> = {
  backup: { title: 'BACKUP' },
  state: { title: 'STATE' },
  devices: { title: 'DEVICES', align: 'right' },
  modules: { title: 'MODULES', align: 'right' },
  configurations: { title: 'CONFIGURATIONS', align: 'right' },
  size: { title: 'SIZE', align: 'right' },
  keys: { title: 'KEYS' },
  verified: { title: 'VERIFIED', align: 'right' },
  age: { title: 'AGE', align: 'right' },
};
const ALL = Object.keys(COLUMNS) as ColumnName[];
/** In this order they are left out until the lines fit. */
const LEFT_OUT: readonly ColumnName[] = ['configurations', 'keys', 'size', 'modules', 'verified', 'age', 'devices'];

const STATE_TEXT: Readonly<Record<BackupState, string>> = {
  good: 'good',
  unfinished: 'unfinished',
  countMismatch: 'counts differ',
  damaged: 'damaged',
  newer: 'newer version',
  archived: 'archived',
};

const STATE_STYLE: Readonly<Record<BackupState, Style>> = {
  good: 'green',
  unfinished: 'yellow',
  countMismatch: 'yellow',
  damaged: 'red',
  newer: 'yellow',
  archived: 'yellow',
};

/** A line for each backup below a head, and below each that is not good what is wrong with it. */
export function renderBackups(
  backups: readonly BackupSummary[],
  { now, paint, columns = Number.POSITIVE_INFINITY }: TableLook,
): readonly string[] {
  const rows = backups.map((backup) => rowOf(backup, now));
  const tables = LEFT_OUT.map((_, at) => ALL.filter((name) => !LEFT_OUT.slice(0, at).includes(name)));
  const fits = (names: readonly ColumnName[]) => render(names, rows).every((line) => line.length <= columns);
  const [head = '', ...lines] = render(tables.find(fits) ?? ['backup', 'state'], rows);
  return [
    paint('dim', head),
    ...lines.flatMap((line, index) => {
      const [backup, row] = [backups[index], rows[index]];
      if (backup === undefined || row === undefined) return [line];
      const at = line.indexOf(row.state, row.backup.length);
      const painted = `${line.slice(0, at)}${paint(STATE_STYLE[backup.state], row.state)}${line.slice(at + row.state.length)}`;
      const { problem } = backup;
      return [painted, ...(problem === undefined ? [] : wrapFinding(problem, 2, columns))];
    }),
  ];
}

function render(names: readonly ColumnName[], rows: readonly Row[]): readonly string[] {
  return renderTable(
    names.map((name) => COLUMNS[name]),
    rows.map((row) => names.map((name) => row[name])),
  );
}

function rowOf(backup: BackupSummary, now: Date): Row {
  const count = (value: number | undefined) => (value === undefined ? '-' : formatCount(value));
  const ago = (at: string) => largestUnit(formatDuration(now.getTime() - Date.parse(at)));
  const { keys, lastVerification } = backup;
  return {
    backup: backup.backup,
    state: STATE_TEXT[backup.state],
    devices: count(backup.devices),
    modules: count(backup.modules),
    configurations: count(backup.configurations),
    size: formatBytes(backup.bytes),
    keys: keys === undefined ? '-' : keys === 'included' ? 'yes' : 'no',
    verified: lastVerification === undefined ? '-' : ago(lastVerification.at),
    age: ago(backup.at),
  };
}
