import type { RunRecord } from '../../src/lib/provisioning/runRecord.ts';
import { connect } from '../connection.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { formatCount, formatDuration } from '../format.ts';
import type { Output } from '../output.ts';
import { runDuration, stateStyle, stateText } from '../runText.ts';
import { renderTable } from '../table.ts';

export interface RunsFlags {
  readonly limit: number;
  readonly data?: string;
}

/** `runs`: the latest runs, newest first. */
export async function runs(flags: RunsFlags, output: Output): Promise<ExitCode> {
  const connection = await connect({ data: flags.data });
  const records = await connection.runs.list({ limit: flags.limit });
  output.printJson(records);
  for (const line of renderRuns(records, new Date(), output.style)) output.print(line);
  return EXIT.ok;
}

export function renderRuns(records: readonly RunRecord[], now: Date, paint: Output['style']): readonly string[] {
  if (records.length === 0) return ['No runs yet. Drop a file with: hubkeeper provision FILE'];
  const [head = '', ...lines] = renderTable(
    [
      { title: 'RUN' },
      { title: 'HUB' },
      { title: 'BATCH' },
      { title: 'STATE' },
      { title: 'LINES', align: 'right' },
      { title: 'NOT OK', align: 'right' },
      { title: 'AGE', align: 'right' },
      { title: 'TOOK', align: 'right' },
    ],
    records.map((record) => [
      record.runId,
      record.hub ?? '-',
      record.batch,
      runsState(record),
      record.check === undefined ? '-' : formatCount(record.check.lines),
      record.outcomes === undefined
        ? '-'
        : formatCount(record.outcomes.failed + record.outcomes.rejected + record.outcomes.unconfirmed),
      formatDuration(now.getTime() - Date.parse(record.createdAt)),
      record.finishedAt === undefined ? '-' : formatDuration(runDuration(record, now)),
    ]),
  );
  return [
    paint('dim', head),
    ...lines.map((line, index) => {
      const record = records[index];
      const state = record === undefined ? '' : stateText(record.state);
      return record === undefined ? line : line.replace(`  ${state}`, `  ${paint(stateStyle(record), state)}`);
    }),
  ];
}

function runsState(record: RunRecord): string {
  return record.options?.dryRun ? `${progressState(record)}, dry run` : progressState(record);
}

function progressState(record: RunRecord): string {
  const { state, phase, suspendedAt, waiting } = record;
  if (state !== 'running' || phase === undefined) return stateText(state);
  if (suspendedAt !== undefined) return `running: ${phase}, suspended`;
  return waiting?.position === undefined ? `running: ${phase}` : `running: ${phase}, ${waiting.position} ahead`;
}
