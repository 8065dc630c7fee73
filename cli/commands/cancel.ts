import { requestOfRun } from '../app/runRequest.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { commandTextFor } from '../render/commandText.ts';
import type { Output } from '../render/output.ts';
import { shortId } from '../render/runWords.ts';

export interface CancelFlags {
  readonly data?: string;
}

/** `cancel ID`: asks the app to stop a run. What the hub has already applied stays. */
export async function cancel(id: string, flags: CancelFlags, output: Output): Promise<ExitCode> {
  const { runId } = await requestOfRun(id, flags.data, { verb: 'cancel', doing: 'cancelling', done: 'cancelled' });
  const command = commandTextFor(flags.data);
  output.tell(`Cancelling run ${runId}. Watch it with:\n  ${command('run', shortId(runId), '--watch')}`);
  output.printJson({ runId, cancelRequested: true });
  return EXIT.ok;
}
