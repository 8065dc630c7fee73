import type { Outcome, RunError, RunState } from './runRecord.ts';

/** What became of one line, and why. Never holds a key. */
export interface Verdict {
  readonly outcome: Outcome;
  /** The hub's or the check's code, e.g. `DeviceAlreadyExists`, `idTooLong`. */
  readonly code?: string;
  readonly reason?: string;
  readonly action?: string;
  /** How often the line was given to the hub, when more than once. */
  readonly tries?: number;
}

/** How a run ends. */
export interface Ending {
  readonly state: RunState;
  readonly error?: RunError | undefined;
}
