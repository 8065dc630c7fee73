import { beginConfirmed, flagsText } from '../app/confirmedWork.ts';
import { connectOrStart } from '../app/connection.ts';
import { findRun } from '../app/findRun.ts';
import { withInterrupt } from '../app/interrupt.ts';
import type { ExitCode } from '../exitCode.ts';
import type { Output } from '../render/output.ts';
import { shortId } from '../render/runWords.ts';
import { showPlan, watchToEnd } from './restore.ts';

export interface UndoFlags {
  /** What others have changed since is put back, too. */
  readonly force?: boolean;
  readonly confirm?: string;
  readonly data?: string;
}

/** `undo RUN`: shows what it would do, has it confirmed, and watches it to the end. */
export function undo(id: string, { force, confirm, data }: UndoFlags, output: Output): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const { runId: run } = await findRun(connection, id);
      const started = await beginConfirmed(
        connection,
        {
          path: `runs/${run}/undo`,
          body: { force },
          confirm,
          doing: 'undoing',
          async ask(hub) {
            await showPlan(connection, { run, force }, output, signal);
            return `This writes to the hub ${hub}.`;
          },
          command: (name) =>
            flagsText(connection.command, ['undo', shortId(run), force && '--force', '--confirm', name]),
        },
        output,
        signal,
      );
      output.note(`Undo of run ${shortId(run)} on the hub ${started.hub}: run ${started.runId}`);
      return await watchToEnd(connection, started, output, signal);
    } finally {
      await connection.close();
    }
  });
}
