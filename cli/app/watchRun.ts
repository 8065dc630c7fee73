import { setTimeout as delay } from 'node:timers/promises';
import { isFinal, type RunBase } from '../../src/lib/runs/runRecord.ts';
import type { RunStore } from '../../src/lib/runs/runStore.ts';
import { isUnreachable } from '../cliError.ts';

export interface WatchOptions<Run extends RunBase> {
  readonly runs: Pick<RunStore<Run>, 'read'>;
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Called after each look at the record; undefined while there is none. */
  readonly onLook: (record: Run | undefined) => void;
  /** How often to look, ms: at the least while things move, at the most when they do not. */
  readonly everyMs?: { readonly least: number; readonly most: number };
}

const EVERY_MS = { least: 250, most: 3000 };
/** Storage may be out of reach for this long before the watching ends; the run does not depend on it. */
const PATIENCE_MS = 60_000;

/**
 * Looks at the record of a run until it is final.
 * @returns the final record, or undefined when `signal` was aborted before
 */
export async function watchRun<Run extends RunBase>(options: WatchOptions<Run>): Promise<Run | undefined> {
  const { runs, runId, signal, onLook, everyMs = EVERY_MS } = options;
  let pause = everyMs.least;
  let seen = '';
  let reachedAt = Date.now();
  while (!signal.aborted) {
    try {
      const record = await runs.read(runId);
      reachedAt = Date.now();
      onLook(record);
      if (record !== undefined && isFinal(record.state)) return record;
      const version = record?.updatedAt ?? '';
      pause = version === seen ? Math.min(everyMs.most, pause * 1.25) : everyMs.least;
      seen = version;
    } catch (error) {
      if (!isUnreachable(error) || Date.now() - reachedAt > PATIENCE_MS) throw error;
      pause = everyMs.most;
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
