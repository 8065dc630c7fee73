/** `plan --backup B`, `plan --run ID` and `plan FILE`: what there would be to do on a hub, as the app finds it. */

import type { RestoreMode } from '../../src/lib/restore/restoreMode.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { askApp } from '../app/apiCall.ts';
import { type Connection, connectOrStart } from '../app/connection.ts';
import { inspectFile } from '../app/drop.ts';
import { findRun } from '../app/findRun.ts';
import { hasHubFindings, readHubPlan, showHubPlan } from '../app/hubPlan.ts';
import { demandHub } from '../app/hubs.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { showRecord } from '../app/showRecord.ts';
import { usageError } from '../cliError.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exitCode.ts';
import { pathFromReader } from '../render/commandText.ts';
import type { Output } from '../render/output.ts';
import { planCountsOfRun, renderPlan } from '../render/planText.ts';
import { shortId } from '../render/runWords.ts';
import { renderWorkOutcome } from '../render/workText.ts';
import { watchWork } from './backup.ts';
import { interrupted, upload, watchWithStatus } from './provision.ts';

export interface PlanOfHubFlags {
  readonly mode?: RestoreMode;
  readonly only?: readonly string[];
  readonly to?: string;
  readonly acceptCountMismatch?: boolean;
  readonly out?: string;
  readonly data?: string;
}

export interface PlanOfRunFlags extends Pick<PlanOfHubFlags, 'out' | 'data'> {
  /** What others have changed since is put back, too. */
  readonly force?: boolean;
}

/** What a restore of a backup would do. */
export function planOfBackup(backup: string, flags: PlanOfHubFlags, output: Output): Promise<ExitCode> {
  const { out, data, ...asked } = flags;
  return planInApp(async () => ({ of: backup, body: { backup, ...asked } }), { out, data }, output);
}

/** What undoing a run would do. */
export function planOfRun(id: string, flags: PlanOfRunFlags, output: Output): Promise<ExitCode> {
  const { force, out, data } = flags;
  const asked = async (connection: Connection) => {
    const { runId: run } = await findRun(connection, id);
    return { of: `undoing run ${shortId(run)}`, body: { run, force } };
  };
  return planInApp(asked, { out, data }, output);
}

interface AskedPlan {
  /** As in "Plan of …". */
  readonly of: string;
  readonly body: object;
}

function planInApp(
  asked: (connection: Connection) => Promise<AskedPlan>,
  { out, data }: { readonly out: string | undefined; readonly data: string | undefined },
  output: Output,
): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const { of, body } = await asked(connection);
      const { runId, hub } = await askApp<WorkRun>(connection, 'plans', body, 'a plan');
      output.note(`Plan of ${of} on the hub ${hub}: run ${shortId(runId)}`);
      const record = await watchWork(connection, runId, output, signal);
      if (record === undefined) return interrupted(connection, runId, output);
      const plan = await readHubPlan(connection, record, out);
      if (plan === undefined) {
        const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command };
        for (const line of renderWorkOutcome(record, look)) output.print(line);
        output.printJson({ runId, state: record.state, error: record.error });
        return exitCodeOf(record);
      }
      showHubPlan(plan, output);
      const { changes, others } = plan.plan;
      output.printJson({ ...plan.result, runId, changes, others, out });
      return hasHubFindings(plan) ? EXIT.someFailed : EXIT.ok;
    } finally {
      await connection.close();
    }
  });
}

/** What a drop of the file would do: a dry run of it. */
export async function planOfFile(path: string, flags: PlanOfHubFlags, output: Output): Promise<ExitCode> {
  const { to: hub, out, data } = flags;
  if ((flags.mode ?? flags.only ?? out) !== undefined) {
    throw usageError(
      'A file says by itself what it does to each line.',
      'Leave out --mode, --only and --out; run ID --report DIR gets the report, which has every line.',
    );
  }
  const file = await inspectFile(path);
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      demandHub(connection, hub, (alias) => ['plan', pathFromReader(path), '--to', alias]);
      const dropped = { dryRun: true, wait: true, ...(hub === undefined ? {} : { hub }) };
      const { runId } = await upload(connection, file, dropped, output, signal);
      output.note(`Plan of ${path}: run ${shortId(runId)}, a dry run`);
      const record = await watchWithStatus(connection, runId, output, signal);
      if (record === undefined) return interrupted(connection, runId, output);
      if (record.kind !== 'provision' || record.plan === undefined) {
        await showRecord(connection, record, { detailed: false, report: undefined }, output);
        return exitCodeOf(record);
      }
      const counts = planCountsOfRun(record.plan, record.check?.rejected ?? 0);
      for (const line of renderPlan(record.plan, output.style)) output.print(line);
      if (counts.rejected > 0) output.print(`  ${counts.rejected} rejected`);
      if (record.error !== undefined) output.tell(`\n${record.error.message}`);
      output.tell(`\nEach line: ${connection.command('run', shortId(runId), '--report', 'DIR')}`);
      output.printJson({ ...counts, runId, plan: record.plan, ...(record.error && { error: record.error }) });
      const { unchanged: _unchanged, ...findings } = counts;
      return Object.values(findings).some((count) => count > 0) ? EXIT.someFailed : EXIT.ok;
    } finally {
      await connection.close();
    }
  });
}
