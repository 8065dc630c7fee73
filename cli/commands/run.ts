import { isFinal } from '../../src/lib/runs/runRecord.ts';
import { connect } from '../app/connection.ts';
import { findRun } from '../app/findRun.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { prepareReportFolder } from '../app/report.ts';
import { showRecord } from '../app/showRecord.ts';
import { type ExitCode, exitCodeOf } from '../exitCode.ts';
import type { Output } from '../render/output.ts';
import { interrupted, watchWithStatus } from './provision.ts';

export interface RunFlags {
  readonly watch?: boolean;
  /** Folder to download the report to. */
  readonly report?: string;
  readonly data?: string;
}

/** `run ID`: everything about one run. The exit code is that of the run; a run that goes on is no failure. */
export async function run(id: string, flags: RunFlags, output: Output): Promise<ExitCode> {
  if (flags.report !== undefined) await prepareReportFolder(flags.report);
  const connection = await connect({ data: flags.data });
  const found = await findRun(connection, id);
  const record =
    flags.watch && !isFinal(found.state)
      ? await withInterrupt((signal) => watchWithStatus(connection, found.runId, output, signal))
      : found;
  if (record === undefined) return interrupted(connection, found.runId, output);
  await showRecord(connection, record, { detailed: true, report: flags.report }, output);
  return exitCodeOf(record);
}
