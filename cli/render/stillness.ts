/** Since when a run has not moved, and what may be the cause: from its record and the clock alone. */

import { defined } from '../../src/lib/defined.ts';
import { isTerminalStatus } from '../../src/lib/hubJobs/jobStatus.ts';
import { isFinal, type RunBase } from '../../src/lib/runs/runRecord.ts';
import { formatDuration } from './format.ts';
import { wrap } from './wrap.ts';

export interface Stillness {
  /** When something last moved: the app writes the record only when something in it changes. */
  readonly since: string;
  readonly seconds: number;
  /** What may be the cause and what to do, once it is worth a thought. */
  readonly hint?: string;
}

const STILL_AFTER_MS = 30_000;
/** By then a run whose host was killed has gone on by itself (host.json, visibility timeouts). */
const HINT_AFTER_MS = 3 * 60_000;

/**
 * Undefined while things move, and for a run that need not move: that has ended, is suspended, or waits for other runs.
 *
 * @param record undefined while the app has not noticed the drop
 * @param since when the watching began
 */
export function stillnessOf(record: RunBase | undefined, now: Date, since: Date): Stillness | undefined {
  if (record !== undefined && isQuiet(record)) return undefined;
  const moved = record?.updatedAt ?? since.toISOString();
  const stillMs = now.getTime() - Date.parse(moved);
  if (!(stillMs >= STILL_AFTER_MS)) return undefined;
  const hint = stillMs >= HINT_AFTER_MS ? hintFor(record) : undefined;
  return { since: moved, seconds: Math.floor(stillMs / 1000), ...defined({ hint }) };
}

function isQuiet({ state, suspendedAt, waiting }: RunBase): boolean {
  return isFinal(state) || suspendedAt !== undefined || waiting?.kind === 'turn';
}

function hintFor(record: RunBase | undefined): string | undefined {
  // It says by itself what it waits for.
  if (record?.waiting !== undefined) return undefined;
  if (record === undefined) {
    return 'The app may not be running, or does not look into this storage. Look at its log; see Troubleshooting in the README.';
  }
  return Object.values(record.jobs).some((one) => one !== undefined && !isTerminalStatus(one.status))
    ? 'The hub may be at its job still (small steps do not show), or the app is down. Look at the log of the app; az iot hub job list shows the job.'
    : 'The app may be down, or too old a worker for its Node version. Once it runs, the run goes on by itself within about 2 minutes. Look at its log; see Troubleshooting in the README.';
}

export function stillText({ seconds }: Stillness): string {
  return `nothing has moved for ${formatDuration(seconds * 1000)}`;
}

/** For a person who looks once. */
export function renderStillness(stillness: Stillness | undefined, columns: number | undefined): readonly string[] {
  if (stillness === undefined) return [];
  const text = stillText(stillness);
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  return ['', ...wrap(stillness.hint === undefined ? sentence : `${sentence} ${stillness.hint}`, 2, columns)];
}
