import { listBackups } from '../../src/lib/backup/catalogue.ts';
import type { Pruned } from '../../src/lib/backup/pruneBackups.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { askApp } from '../app/apiCall.ts';
import { type Connection, connectOrStart } from '../app/connection.ts';
import { demandKnownHub } from '../app/hubs.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { usageError } from '../cliError.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exitCode.ts';
import { renderBackups } from '../render/backupsTable.ts';
import { renderPruned, renderVerified, verifiedJson } from '../render/backupText.ts';
import type { Output } from '../render/output.ts';
import { renderWorkOutcome } from '../render/workText.ts';
import { watchWork } from './backup.ts';
import { interrupted } from './provision.ts';

export interface BackupsFlags {
  readonly hub?: string;
  /** The backup that is to be verified; `true`: all of them. */
  readonly verify?: string | true;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly data?: string;
}

/** `backups`: lists them, newest first; verifies one or all; removes what is not to be kept. */
export function backups(flags: BackupsFlags, output: Output): Promise<ExitCode> {
  const { verify, prune, dryRun, data } = flags;
  if (verify !== undefined && prune) throw usageError('--verify and --prune are two things.', 'Give one of them.');
  if (dryRun && !prune) throw usageError('--dry-run says what --prune would do.', 'Give both of them.');
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      if (verify !== undefined) return await verifyBackups(connection, flags, output, signal);
      return prune ? await pruneBackups(connection, flags, output) : await list(connection, flags, output, signal);
    } finally {
      await connection.close();
    }
  });
}

async function list(
  connection: Connection,
  { hub }: BackupsFlags,
  output: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { storage, command } = connection;
  const found = await listBackups(storage, hub);
  // Backups of a hub that the app has no more are listed all the same.
  if (found.length === 0) await demandKnownHub(connection, hub, signal);
  output.printJson(found);
  const look = { now: new Date(), paint: output.style, columns: output.columns };
  if (found.length > 0) for (const line of renderBackups(found, look)) output.print(line);
  else {
    const which = hub ?? (Object.keys(connection.hubs ?? {}).length > 1 ? 'ALIAS' : undefined);
    const words = which === undefined ? [] : ['--hub', which];
    const of = hub === undefined ? '' : ` of the hub ${hub}`;
    output.tell(`No backups${of} yet. Make one with: ${command('backup', ...words)}`);
  }
  return EXIT.ok;
}

async function verifyBackups(
  connection: Connection,
  { hub, verify }: BackupsFlags,
  output: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  const wanted = { ...(verify === true ? {} : { backup: verify }), ...(hub === undefined ? {} : { hub }) };
  const { runId } = await askApp<WorkRun>(connection, 'backups/verify', wanted, 'verifying');
  output.note(`Verification: run ${runId}`);
  const record = await watchWork(connection, runId, output, signal);
  if (record === undefined) return interrupted(connection, runId, output);
  output.print();
  const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command };
  for (const line of [...renderWorkOutcome(record, look), ...renderVerified(record, look)]) output.print(line);
  output.printJson(verifiedJson(record));
  return exitCodeOf(record);
}

async function pruneBackups(
  connection: Connection,
  { hub, dryRun = false }: BackupsFlags,
  output: Output,
): Promise<ExitCode> {
  const wanted = { dryRun, ...(hub === undefined ? {} : { hub }) };
  const pruned = await askApp<Pruned>(connection, 'backups/prune', wanted, 'removing backups');
  for (const line of renderPruned(pruned, output.columns)) output.print(line);
  output.printJson(pruned);
  return pruned.remove.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.ok;
}
