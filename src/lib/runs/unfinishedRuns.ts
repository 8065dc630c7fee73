import { isFinal, RUN_STATES, type RunBase } from './runRecord.ts';
import type { RunStore } from './runStore.ts';

/**
 * All runs that have not ended, but for those whose records cannot be read. One state after the other, in the order in
 * which a run has them: one that goes from one to the next meanwhile is met in the next, if not twice.
 */
export async function unfinishedRuns<Run extends RunBase>(
  runs: Pick<RunStore<Run>, 'survey'>,
): Promise<readonly Run[]> {
  const found: Run[] = [];
  for (const state of RUN_STATES.filter((each) => !isFinal(each)))
    found.push(...(await runs.survey({ state })).records);
  return found;
}
