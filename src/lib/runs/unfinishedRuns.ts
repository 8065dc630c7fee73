import { isFinal, type RunBase } from './runRecord.ts';
import { type DamagedRun, damagedRun, type RunStore } from './runStore.ts';

export interface UnfinishedRuns<Run extends RunBase> {
  readonly records: readonly Run[];
  /** Nobody can tell what these read or need: whoever removes something leaves it as long as there is one. */
  readonly damaged: readonly DamagedRun[];
}

const READS_AT_ONCE = 8;

/**
 * All runs that have not ended. A record counts whose metadata does not say that it is final: a copy that a person has put
 * back may have none.
 */
export async function unfinishedRuns<Run extends RunBase>(
  runs: Pick<RunStore<Run>, 'ids' | 'read'>,
): Promise<UnfinishedRuns<Run>> {
  const ids: string[] = [];
  for await (const { runId, final } of runs.ids()) if (!final) ids.push(runId);
  const records: Run[] = [];
  const damaged: DamagedRun[] = [];
  for (let at = 0; at < ids.length; at += READS_AT_ONCE) {
    const batch = ids.slice(at, at + READS_AT_ONCE).map((runId) => runs.read(runId).catch(damagedRun));
    for (const run of await Promise.all(batch)) {
      if (run === undefined) continue;
      if ('damaged' in run) damaged.push(run);
      else if (!isFinal(run.state)) records.push(run);
    }
  }
  return { records, damaged };
}
