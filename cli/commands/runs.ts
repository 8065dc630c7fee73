import { defined } from '../../src/lib/defined.ts';
import type { RunRecord } from '../../src/lib/runKinds.ts';
import type { RunState } from '../../src/lib/runs/runRecord.ts';
import { type Connection, connect } from '../app/connection.ts';
import { demandKnownHub } from '../app/hubs.ts';
import { findStrayFiles, renderStrayFiles } from '../app/strayFiles.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import type { Output } from '../render/output.ts';
import { renderRuns } from '../render/runsTable.ts';
import { behind, wrap } from '../render/wrap.ts';

export interface RunsFlags {
  readonly limit: number;
  /** Only runs of this hub. */
  readonly hub?: string;
  /** Only runs in this state. */
  readonly state?: RunState;
  readonly data?: string;
}

/** `runs`: the latest runs, newest first; and what lies in the drop box without ever making one. */
export async function runs(flags: RunsFlags, output: Output): Promise<ExitCode> {
  const connection = await connect({ data: flags.data });
  const { records, damaged } = await latestRuns(connection, flags);
  if (records.length + damaged.length === 0) await demandKnownHub(connection, flags.hub);
  output.printJson([...records, ...damaged]);
  if (records.length > 0) {
    for (const line of renderRuns(records, { now: new Date(), paint: output.style, columns: output.columns }))
      output.print(line);
  } else if (damaged.length === 0) output.tell(nothingText(connection, flags));
  for (const { runId, damaged: why } of damaged)
    for (const line of behind(`${runId}  `, wrap(`damaged: ${why.message} ${why.action}`, 22, output.columns)))
      output.print(line);
  // A script asks for runs, and so does who asks for some of them.
  if (!output.json && flags.hub === undefined && flags.state === undefined) {
    for (const line of renderStrayFiles(await findStrayFiles(connection), output.columns)) output.print(line);
  }
  return EXIT.ok;
}

function latestRuns({ runs }: Connection, { limit, hub, state }: RunsFlags): ReturnType<Connection['runs']['survey']> {
  if (hub === undefined && state === undefined) return runs.survey({ limit });
  const where = (record: RunRecord): boolean =>
    (hub === undefined || record.hub === hub) && (state === undefined || record.state === state);
  return runs.survey({ limit, where, ...defined({ state }) });
}

function nothingText({ command }: Connection, { hub, state }: RunsFlags): string {
  const of = [hub === undefined ? '' : ` of the hub ${hub}`, state === undefined ? '' : ` in the state ${state}`];
  return hub === undefined && state === undefined
    ? `No runs yet. Drop a file with: ${command('provision', 'FILE')}`
    : `No runs${of.join('')}.`;
}
