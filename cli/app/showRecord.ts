import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import type { RunRecord } from '../../src/lib/runKinds.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { renderWorkResult } from '../render/backupText.ts';
import type { Dropped } from '../render/confirmText.ts';
import type { Output } from '../render/output.ts';
import { plainProgress, progressOf } from '../render/progress.ts';
import type { RunReport } from '../render/runReport.ts';
import { type Look, renderOutcome, renderRun } from '../render/runText.ts';
import { renderStillness, stillnessOf } from '../render/stillness.ts';
import { renderWork, renderWorkOutcome } from '../render/workText.ts';
import type { Connection } from './connection.ts';
import { followerOf } from './follower.ts';
import { laterHubPlan, showHubPlan } from './hubPlan.ts';
import { downloadReport, readReport } from './report.ts';
import { downloadWorkReport, readTroubles } from './workTroubles.ts';

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
  const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command };
  const report = record.kind === 'provision' ? await readReport(connection.storage, record) : undefined;
  const lines =
    record.kind === 'provision'
      ? provisioningLines(record, report, options, look)
      : await workLines(connection, record, options, look);
  for (const line of lines) output.print(line);
  const plan = record.kind === 'provision' ? undefined : await laterHubPlan(connection, record);
  if (plan !== undefined) {
    output.print();
    showHubPlan(plan, output);
  }
  const follower = await followerOf(connection.runs, record);
  const still = stillnessOf(follower ?? record, look.now, look.now);
  for (const line of renderStillness(still, output.columns)) output.print(line);
  if (options.report !== undefined) {
    const files =
      record.kind === 'provision'
        ? await downloadReport(connection.storage, record, options.report)
        : await downloadWorkReport(connection, record, options.report);
    output.note(files.length === 0 ? 'There is no report to download.' : `Downloaded ${files.join(', ')}`);
  }
  output.printJson({ run: record, report: report ?? null, still });
}

type ShownLook = Pick<Look, 'now' | 'paint' | 'columns' | 'command'>;

function provisioningLines(
  record: ProvisionRun,
  report: RunReport | undefined,
  { detailed, dropped, report: folder }: ShowOptions,
  look: ShownLook,
): readonly string[] {
  const render = detailed ? renderRun : renderOutcome;
  return render(record, report, { ...look, dropped, downloads: folder !== undefined });
}

async function workLines(
  connection: Connection,
  record: WorkRun,
  { detailed }: ShowOptions,
  look: ShownLook,
): Promise<readonly string[]> {
  const render = detailed ? renderWork : renderWorkOutcome;
  const troubles = await readTroubles(connection, record);
  const follower = await followerOf(connection.runs, record);
  const doing = follower && plainProgress(progressOf(record, { ...look, since: look.now, follower }));
  return [...render(record, { ...look, troubles, doing }), ...renderWorkResult(record, look)];
}
