import { deletesOf, type PlanCountsOfMode } from '../../src/lib/restore/planTally.ts';
import type { RestoreMode } from '../../src/lib/restore/restoreMode.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { askApp } from '../app/apiCall.ts';
import { beginConfirmed, flagsText } from '../app/confirmedWork.ts';
import { type Connection, connectOrStart } from '../app/connection.ts';
import { readHubPlan, showHubPlan } from '../app/hubPlan.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { readTroubles } from '../app/workTroubles.ts';
import { CliError, usageError } from '../cliError.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exitCode.ts';
import { formatPlural } from '../render/format.ts';
import type { Output } from '../render/output.ts';
import { shortId } from '../render/runWords.ts';
import { renderWorkOutcome } from '../render/workText.ts';
import { watchWork } from './backup.ts';
import { interrupted } from './provision.ts';

export interface RestoreFlags {
  readonly mode?: RestoreMode;
  readonly only?: readonly string[];
  /** Alias of the hub that it goes to. */
  readonly to?: string;
  readonly confirm?: string;
  readonly drill?: boolean;
  readonly newKeys?: boolean;
  readonly check?: boolean;
  readonly acceptCountMismatch?: boolean;
  readonly data?: string;
}

/** Alias of the hub of a local stack that drills go to when no other is named. */
const DRILL_HUB = 'drill';

/** `restore BACKUP`: shows what it would do, has it confirmed, and watches it to the end. */
export function restore(backup: string, flags: RestoreFlags, output: Output): Promise<ExitCode> {
  demandFlagsThatFit(flags);
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data: flags.data }, output, signal);
    try {
      const started = await begin(connection, backup, flags, output, signal);
      // Of "latest", which that is.
      const taken = String(started.request['backup']);
      const what = flags.drill ? 'Drill with' : 'Restore of';
      output.note(`${what} ${taken} to the hub ${started.hub}: run ${started.runId}`);
      return await watchToEnd(connection, started, output, signal);
    } finally {
      await connection.close();
    }
  });
}

/** @throws CliError */
function demandFlagsThatFit({ drill, mode, only, confirm, check }: RestoreFlags): void {
  if (drill !== true && mode === undefined) {
    throw usageError(
      'A restore needs a mode.',
      'Give --mode missing (only what is not there), overwrite (also what differs) or exact (also deletes what the backup does not have).',
    );
  }
  if (drill === true && (mode ?? only ?? confirm ?? check) !== undefined) {
    throw usageError(
      'A drill restores all of a backup into an empty hub, and compares.',
      'Leave out --mode, --only, --confirm and --check.',
    );
  }
}

async function begin(
  connection: Connection,
  backup: string,
  flags: RestoreFlags,
  output: Output,
  signal: AbortSignal,
): Promise<WorkRun> {
  const { drill, confirm, newKeys, check, to, ...shared } = flags;
  const { data: _data, ...asked } = shared;
  if (drill === true) {
    const target = to ?? drillHub(connection, backup);
    const { acceptCountMismatch } = asked;
    return askApp<WorkRun>(connection, 'drills', { backup, to: target, newKeys, acceptCountMismatch }, 'a drill');
  }
  const plan = { backup, ...asked, to };
  let shown: Readonly<Record<string, unknown>> = {};
  return beginConfirmed(
    connection,
    {
      path: 'restores',
      body: { ...plan, newKeys, check },
      confirm,
      doing: 'restoring',
      async ask(hub) {
        const { request, result } = await showPlan(connection, plan, output, signal);
        const counts = result as unknown as PlanCountsOfMode;
        demandWorthwhile(counts, newKeys === true);
        shown = { backup: request['backup'], mostDeletes: deletesOf(counts) };
        return `This restores into the hub ${hub}.`;
      },
      shown: () => shown,
      command: (name) => flagsText(connection.command, [...wordsOf(backup, flags), '--confirm', name]),
    },
    output,
    signal,
  );
}

/** The app would refuse it: nobody is asked to confirm that. @throws CliError */
export function demandWorthwhile(
  { notFound, lost }: Pick<PlanCountsOfMode, 'notFound' | 'lost'>,
  newKeys: boolean,
): void {
  if (notFound?.all) throw usageError(`${notFound.message} Nothing was changed.`, notFound.action);
  if (lost.keys === 0 || newKeys) return;
  throw usageError(
    `The backup has no keys, and ${formatPlural(lost.keys, 'device or module', 'devices and modules')} would get new ones. Nothing was changed.`,
    'Take a backup with keys; or add --new-keys, and give the new ones to these devices.',
  );
}

function drillHub({ isLocal, hubs, command }: Connection, backup: string): string {
  if (isLocal && hubs !== undefined && DRILL_HUB in hubs) return DRILL_HUB;
  throw usageError(
    'A drill needs an empty hub, and none is named.',
    isLocal
      ? `Stop the local stack, and start it with one:\n  ${command('local', '--hub', DRILL_HUB)}\nThen type:\n  ${command('restore', backup, '--drill')}`
      : `Name it: ${command('restore', backup, '--drill', '--to', 'ALIAS')}`,
  );
}

/** Shows what would be done, before it is confirmed, and gives the run that found it out. @throws CliError when there is no plan */
export async function showPlan(
  connection: Connection,
  body: object,
  output: Output,
  signal: AbortSignal,
): Promise<WorkRun> {
  const started = await askApp<WorkRun>(connection, 'plans', body, 'a plan');
  const record = await watchWork(connection, started.runId, output, signal);
  if (record === undefined) throw new CliError(EXIT.interrupted, 'Interrupted: nothing was changed.');
  const plan = await readHubPlan(connection, record, undefined);
  if (plan === undefined) {
    const { message, action } = record.error ?? {};
    throw usageError(['There is no plan to confirm.', message].filter(Boolean).join(' '), action);
  }
  showHubPlan(plan, output);
  output.print();
  return record;
}

function wordsOf(backup: string, { mode, only = [], to, newKeys, check, acceptCountMismatch }: RestoreFlags) {
  return [
    'restore',
    backup,
    ...(mode === undefined ? [] : ['--mode', mode]),
    ...only.flatMap((name) => ['--only', name]),
    ...(to === undefined ? [] : ['--to', to]),
    newKeys && '--new-keys',
    check && '--check',
    acceptCountMismatch && '--accept-count-mismatch',
  ];
}

/** Watches a run, and shows what it came to. */
export async function watchToEnd(
  connection: Connection,
  { runId }: WorkRun,
  output: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  const record = await watchWork(connection, runId, output, signal);
  if (record === undefined) return interrupted(connection, runId, output);
  output.print();
  const troubles = await readTroubles(connection, record);
  const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command, troubles };
  for (const line of renderWorkOutcome(record, look)) output.print(line);
  if (record.report !== undefined) {
    output.tell(`\nWhat became of each part: ${connection.command('run', shortId(runId), '--report', 'DIR')}`);
  }
  output.printJson(record);
  return exitCodeOf(record);
}
