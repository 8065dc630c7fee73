import { defined } from '../../src/lib/defined.ts';
import { usageError } from '../cliError.ts';
import type { ExitCode } from '../exitCode.ts';
import type { Output } from '../render/output.ts';
import { plan } from './plan.ts';
import { type PlanOfHubFlags, type PlanOfRunFlags, planOfBackup, planOfFile, planOfRun } from './planOfHub.ts';

export interface PlanAllFlags extends PlanOfHubFlags, PlanOfRunFlags {
  readonly backup?: string;
  /** Id of a run. */
  readonly run?: string;
}

/** `plan`: two files with each other, a file or a backup with a hub, or a hub with how it was before a run. */
export async function planAll(
  [file, file2]: readonly [string | undefined, string | undefined],
  { backup, run, force, ...flags }: PlanAllFlags,
  output: Output,
): Promise<ExitCode> {
  if (run !== undefined) {
    const { out: _out, data: _data, ...others } = flags;
    if (Object.values({ file, backup, ...others }).some((given) => given !== undefined)) {
      throw usageError('A run is compared as a whole with its hub.', 'Leave out all but --force, --out and --data.');
    }
    return planOfRun(run, { ...flags, ...defined({ force }) }, output);
  }
  if (force !== undefined) throw usageError('--force is for what undoing a run would do.', 'Name it: --run ID.');
  if (backup !== undefined) {
    if (file !== undefined) throw usageError('A plan is of a file or of a backup.', 'Leave out one of them.');
    return planOfBackup(backup, flags, output);
  }
  if (file === undefined) {
    throw usageError('There is nothing to compare.', 'Give a file, two files, --backup NAME or --run ID.');
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
