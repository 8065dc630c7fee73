/** What becomes of the run that applies the lines of another when that other one fails. */

import { containerOfRun } from '../storage/containers.ts';
import { RunDamaged } from './parseRunRecord.ts';
import { cancelledRun } from './pausing.ts';
import type { RunContext } from './runContext.ts';
import { isFinal, type RunBase } from './runRecord.ts';
import { unfinishedRuns } from './unfinishedRuns.ts';

/** A run that applies a file says where that lies. */
type RunOfFile = RunBase & { readonly drop?: { readonly container: string } };

/**
 * Cancels the run that applies the lines of one that fails: people take what has failed for over, and nobody would watch
 * what goes on. One whose record is gone or damaged cannot go on by itself.
 *
 * @param mayHaveBegun the run has asked for it, and nobody has noted which it is
 * @returns its id, unless there is none that goes on
 */
export async function cancelAppliedRun<Run extends RunBase>(
  context: Pick<RunContext<Run>, 'runs' | 'now' | 'log'>,
  record: Pick<RunBase, 'runId' | 'appliedBy'>,
  mayHaveBegun = false,
): Promise<string | undefined> {
  const runId = record.appliedBy ?? (mayHaveBegun ? await findAppliedRun(context, record) : undefined);
  if (runId === undefined) return undefined;
  try {
    if ((await context.runs.read(runId)) === undefined) return undefined;
    const applied = await context.runs.update(runId, (current) => cancelledRun(current, context.now()));
    return isFinal(applied.state) ? undefined : runId;
  } catch (error) {
    if (!(error instanceof RunDamaged)) throw error;
    context.log.log('warn', `${error.message} ${error.action ?? ''}`);
    return undefined;
  }
}

/** Its file lies in the container of the run that has made it. */
async function findAppliedRun<Run extends RunBase>(
  { runs }: Pick<RunContext<Run>, 'runs'>,
  { runId }: Pick<RunBase, 'runId'>,
): Promise<string | undefined> {
  const { records } = await unfinishedRuns(runs);
  return records.find((run: RunOfFile) => run.drop?.container === containerOfRun(runId))?.runId;
}
