import { isFinal } from '../../src/lib/provisioning/runRecord.ts';
import { connect } from '../connection.ts';
import { type ExitCode, exitCodeOf } from '../exitCode.ts';
import { findRun } from '../findRun.ts';
import { withInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { prepareReportFolder } from '../report.ts';
import { showRecord } from '../showRecord.ts';
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
