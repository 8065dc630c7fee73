import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { askApp } from '../app/apiCall.ts';
import { type Connection, connectOrStart } from '../app/connection.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exitCode.ts';
import { backupJson, renderBackupResult } from '../render/backupText.ts';
import type { Output } from '../render/output.ts';
import { shortId } from '../render/runWords.ts';
import { renderWorkOutcome } from '../render/workText.ts';
import { interrupted, watchWithStatus } from './provision.ts';

export interface BackupFlags {
  readonly hub?: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly data?: string;
}

/** `backup`: has the app back up a hub, and watches its run to the end. */
export function backup({ hub, wait, data }: BackupFlags, output: Output): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const started = await askApp<WorkRun>(connection, 'backups', hub === undefined ? {} : { hub }, 'making a backup');
      output.note(`Backup of the hub ${started.hub}: run ${started.runId}`);
      if (!wait && connection.ownStack !== undefined) {
        output.note('The run is waited for all the same: the local stack that works on it ends with this command.');
      } else if (!wait) {
        output.tell(`Look at it with:\n  ${connection.command('run', shortId(started.runId))}`);
        output.printJson({ runId: started.runId });
        return EXIT.ok;
      }
      const record = await watchWork(connection, started.runId, output, signal);
      if (record === undefined) return interrupted(connection, started.runId, output);
      output.print();
      const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command };
      for (const line of [...renderWorkOutcome(record, look), ...renderBackupResult(record, look)]) output.print(line);
      const made = record.result?.['backup'];
      if (record.state === 'completed' && typeof made === 'string') {
        output.tell(`\nGo back to it with: ${connection.command('restore', made, '--mode', 'exact')}`);
      }
      output.printJson(backupJson(record));
      return exitCodeOf(record);
    } finally {
      await connection.close();
    }
  });
}

/** The final record of a run that is no provisioning run; undefined after Ctrl-C. */
export async function watchWork(
  connection: Connection,
  runId: string,
  output: Output,
  signal: AbortSignal,
): Promise<WorkRun | undefined> {
  const record = await watchWithStatus(connection, runId, output, signal);
  if (record?.kind === 'provision') throw new Error(`Run ${runId} is of another kind than was asked for.`);
  return record;
}
