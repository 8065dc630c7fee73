import { isTerminalStatus } from '../../src/lib/hubJobs/jobStatus.ts';
import { requestOfRun } from '../app/runRequest.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { commandTextFor } from '../render/commandText.ts';
import type { Output } from '../render/output.ts';
import { shortId } from '../render/runWords.ts';

export interface SuspendFlags {
  readonly data?: string;
}

/** `suspend ID`: holds a run between two steps. A job that the hub has begun goes on. */
export async function suspend(id: string, flags: SuspendFlags, output: Output): Promise<ExitCode> {
  const { runId, jobs, suspendedAt } = await requestOfRun(id, flags.data, {
    verb: 'suspend',
    doing: 'suspending',
    done: 'suspended',
  });
  const job = 'import' in jobs ? jobs.import : undefined;
  const jobGoesOn = job !== undefined && !isTerminalStatus(job.status);
  const command = commandTextFor(flags.data);
  const already = suspendedAt === undefined ? '' : ' already';
  output.tell(`Run ${runId} is suspended${already}. Let it go on with:\n  ${command('resume', shortId(runId))}`);
  output.tell(
    jobGoesOn
      ? 'Its import job was started already and goes on: only a cancel can stop that. The report waits for the resume.'
      : 'A step that is under way still ends. Other runs of the hub may pass it meanwhile.',
  );
  output.printJson({ runId, suspended: true, jobGoesOn });
  return EXIT.ok;
}
