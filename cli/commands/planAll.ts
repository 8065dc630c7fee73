import { usageError } from '../cliError.ts';
import type { ExitCode } from '../exitCode.ts';
import type { Output } from '../render/output.ts';
import { plan } from './plan.ts';
import { type PlanOfHubFlags, planOfBackup, planOfFile } from './planOfHub.ts';

export interface PlanAllFlags extends PlanOfHubFlags {
  readonly backup?: string;
}

/** `plan`: two files with each other, a file with a hub, or a backup with a hub. */
export async function planAll(
  [file, file2]: readonly [string | undefined, string | undefined],
  { backup, ...flags }: PlanAllFlags,
  output: Output,
): Promise<ExitCode> {
  if (backup !== undefined) {
    if (file !== undefined) throw usageError('A plan is of a file or of a backup.', 'Leave out one of them.');
    return planOfBackup(backup, flags, output);
  }
  if (file === undefined) {
    throw usageError('What is to be compared is not said.', 'Give a file, two files, or --backup NAME.');
  }
  if (file2 === undefined) return planOfFile(file, flags, output);
  const { out, ...others } = flags;
  if (Object.values(others).some((flag) => flag !== undefined)) {
    throw usageError(
      'Two files are compared on this machine, and no hub has a part in it.',
      'Leave out all but --out.',
    );
  }
  return plan(file, file2, out === undefined ? {} : { out }, output);
}
