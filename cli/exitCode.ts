import type { RunRecord } from '../src/lib/runKinds.ts';
import { isFinal } from '../src/lib/runs/runRecord.ts';

/** What the command's exit code says to a script. */
export const EXIT = {
  /** All well. */
  ok: 0,
  /** Finished, but some devices were failed, rejected or unconfirmed. */
  someFailed: 1,
  /** Wrong usage, settings or input; a refused run is one. */
  usage: 2,
  /** The work itself failed: failed, cancelled, not reachable. */
  failed: 3,
  /** Interrupted with Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code that a run stands for; a run that goes on is no failure. */
export function exitCodeOf(record: RunRecord): ExitCode {
  switch (record.state) {
    case 'accepted':
    case 'running':
      return EXIT.ok;
    case 'completed':
    case 'completedWithFailures':
      return record.state === 'completedWithFailures' || troubled(record) > 0 ? EXIT.someFailed : EXIT.ok;
    case 'refused':
      return EXIT.usage;
    case 'cancelled':
    case 'failed':
    case 'stale':
      return EXIT.failed;
    default: {
      const never: never = record.state;
      throw new Error(`The run is in a state that this version does not know: ${String(never)}`);
    }
  }
}

/** Lines, configurations among them, whose fate a person has to look at. */
export function troubled(record: RunRecord): number {
  if (!isFinal(record.state)) return 0;
  const counts = [record.outcomes, record.kind === 'provision' ? record.configurations?.outcomes : undefined].filter(
    (outcomes) => outcomes !== undefined,
  );
  return counts.reduce((sum, { failed, rejected, unconfirmed }) => sum + failed + rejected + unconfirmed, 0);
}
