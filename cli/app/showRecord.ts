import type { RunRecord } from '../../src/lib/runKinds.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { renderWorkResult } from '../render/backupText.ts';
import type { Dropped } from '../render/confirmText.ts';
import type { Output } from '../render/output.ts';
import { renderOutcome, renderRun } from '../render/runText.ts';
import { renderStillness, stillnessOf } from '../render/stillness.ts';
import { renderWork, renderWorkOutcome } from '../render/workText.ts';
import type { Connection } from './connection.ts';
import { downloadReport, readReport } from './report.ts';

export interface ShowOptions {
  /** All that the record says, not only what the run came to. */
  readonly detailed: boolean;
  /** Folder to download the report to. */
  readonly report: string | undefined;
  /** What the command has dropped itself. */
  readonly dropped?: Dropped;
}

/** Prints a run and its report, and downloads the report where that was asked for. */
export async function showRecord(
  connection: Connection,
  record: RunRecord,
  options: ShowOptions,
  output: Output,
): Promise<void> {
  if (record.kind !== 'provision') return showWork(connection, record, options, output);
  const report = await readReport(connection.storage, record);
  const render = options.detailed ? renderRun : renderOutcome;
  const look = {
    now: new Date(),
    paint: output.style,
    columns: output.columns,
    command: connection.command,
    dropped: options.dropped,
    downloads: options.report !== undefined,
  };
  for (const line of render(record, report, look)) output.print(line);
  const still = stillnessOf(record, look.now, look.now);
  for (const line of renderStillness(still, output.columns)) output.print(line);
  if (options.report !== undefined) {
    const files = await downloadReport(connection.storage, record, options.report);
    output.note(files.length === 0 ? 'There is no report to download.' : `Downloaded ${files.join(', ')}`);
  }
  output.printJson({ run: record, report: report ?? null, still });
}

async function showWork(connection: Connection, record: WorkRun, options: ShowOptions, output: Output): Promise<void> {
  const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command };
  const render = options.detailed ? renderWork : renderWorkOutcome;
  for (const line of [...render(record, look), ...renderWorkResult(record, look)]) output.print(line);
  const still = stillnessOf(record, look.now, look.now);
  for (const line of renderStillness(still, output.columns)) output.print(line);
  if (options.report !== undefined) {
    const files = await downloadReport(connection.storage, record, options.report);
    output.note(files.length === 0 ? 'There is no report to download.' : `Downloaded ${files.join(', ')}`);
  }
  output.printJson({ run: record, report: null, still });
}
