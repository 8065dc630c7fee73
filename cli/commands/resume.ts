import { requestOfRun } from '../app/runRequest.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { commandTextFor } from '../render/commandText.ts';
import type { Output } from '../render/output.ts';
import { shortId } from '../render/runWords.ts';

export interface ResumeFlags {
  readonly data?: string;
}

/** `resume ID`: lets a suspended run go on. */
export async function resume(id: string, flags: ResumeFlags, output: Output): Promise<ExitCode> {
  const { runId } = await requestOfRun(id, flags.data, { verb: 'resume', doing: 'resuming', done: 'resumed' });
  const command = commandTextFor(flags.data);
  output.tell(`Run ${runId} goes on. Watch it with:\n  ${command('run', shortId(runId), '--watch')}`);
  output.printJson({ runId, resumed: true });
  return EXIT.ok;
}
