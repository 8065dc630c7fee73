import { beginConfirmed, flagsText } from '../app/confirmedWork.ts';
import { connectOrStart } from '../app/connection.ts';
import { withInterrupt } from '../app/interrupt.ts';
import type { ExitCode } from '../exitCode.ts';
import type { Output } from '../render/output.ts';
import { watchToEnd } from './restore.ts';

export interface DeleteAllFlags {
  readonly hub?: string;
  readonly prefix?: string;
  readonly configurations?: boolean;
  readonly acceptCountMismatch?: boolean;
  readonly confirm?: string;
  readonly data?: string;
}

/** `delete-all`: has the app back up a hub and delete its devices, once that was confirmed. */
export function deleteAll(flags: DeleteAllFlags, output: Output): Promise<ExitCode> {
  const { confirm, data, ...body } = flags;
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const started = await beginConfirmed(
        connection,
        {
          path: 'delete-all',
          body,
          confirm,
          doing: 'deleting',
          ask: async (hub) => `After a backup, this deletes ${whatOf(flags)} of the hub ${hub}.`,
          command: (name) => flagsText(connection.command, [...wordsOf(flags), '--confirm', name]),
        },
        output,
        signal,
      );
      output.note(`Delete ${whatOf(flags)} of the hub ${started.hub}: run ${started.runId}`);
      return await watchToEnd(connection, started, output, signal);
    } finally {
      await connection.close();
    }
  });
}

function whatOf({ prefix, configurations }: DeleteAllFlags): string {
  const devices = prefix === undefined ? 'all devices' : `all devices whose id begins with ${prefix}`;
  return configurations ? `${devices} and all configurations` : devices;
}

function wordsOf({ hub, prefix, configurations, acceptCountMismatch }: DeleteAllFlags) {
  return [
    'delete-all',
    ...(hub === undefined ? [] : ['--hub', hub]),
    ...(prefix === undefined ? [] : ['--prefix', prefix]),
    configurations && '--configurations',
    acceptCountMismatch && '--accept-count-mismatch',
  ];
}
