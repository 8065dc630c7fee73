/**
 * What comes next in a run: the language between the activities of a run and its orchestration, the same for every kind.
 *
 * Whoever does a piece of work says what follows it, so that no step costs two calls; the orchestration carries it out and
 * knows nothing of what a run is about. A step is all that the orchestration remembers: it may go on with a fresh history
 * at any step. It stays in the durable history, so it holds ids and numbers, never a line or a secret.
 */

import type { TurnTicket } from '../turns/turnQueue.ts';

/** What an activity is called with; the rest belongs to the activity. */
export interface StepInput {
  readonly runId: string;
  readonly [name: string]: unknown;
}

/** A call of an activity, which returns the next step. */
export interface CallStep {
  readonly do: 'call';
  readonly activity: string;
  readonly input: StepInput;
  /** Asks for the turn first, so that it is kept; the answer does not matter. */
  readonly keepTurn?: true;
  /** What follows when it has failed after all its tries. Default: the run fails. */
  readonly failed?: Step;
}

/** Where a run stands in the queue of its hub, and since when. */
export interface QueueStanding {
  readonly position: number;
  /** Ms since the epoch. */
  readonly since: number;
}

export interface TurnStep {
  readonly do: 'turn';
  /** Once the run has its turn. */
  readonly next: Step;
  /** What follows when the turn is not granted at once. Default: `ask` is called until it is. */
  readonly lost?: Step;
  /** The activity that is called while the turn is not granted, and its input; it gets an `AskInput` and returns an `AskReply`. */
  readonly ask: { readonly activity: string; readonly input: StepInput };
  readonly standing?: QueueStanding;
}

export interface AskInput extends StepInput {
  /** Runs ahead of this one, at least 1. */
  readonly position: number;
  /** A holder of the turn that has not been heard of for long. */
  readonly silentHolder?: string | undefined;
  readonly standing?: QueueStanding | undefined;
}

/** Ask for the turn again after `seconds`. */
export interface AskAgain {
  readonly do: 'askAgain';
  readonly seconds: number;
  readonly standing: QueueStanding;
  /** This holder was found dead: the turn is taken from it, and asked for at once. */
  readonly evict?: string;
}

/** Ask again; or the step that is taken instead. */
export type AskReply = AskAgain | Step;

/** Calls that send lines to the hub, shared out among lanes that work side by side. */
export interface LanesWork {
  /** The wave of calls. */
  readonly wave: string;
  readonly chunks: number;
  /** Chunks that are worked on at once. */
  readonly width: number;
  /** Lines that one activity may send. */
  readonly grant: number;
  readonly itemsPerMinute: number;
}

export type Step =
  /** The run has come to its end; its record says which. */
  | { readonly do: 'ended'; readonly state: string }
  | CallStep
  /** At most `LONGEST_WAIT_SECONDS`, then `next`; sooner when the run is woken. */
  | { readonly do: 'wait'; readonly seconds: number; readonly next: Step }
  /** The run is suspended: it waits to be woken, gives up its turn meanwhile if `leave`, and then does `next`. */
  | { readonly do: 'suspended'; readonly seconds: number; readonly leave: boolean; readonly next: CallStep }
  /** The hub of the run, and its place in the queue there, are known from here on. */
  | { readonly do: 'place'; readonly hub: string; readonly ticket: TurnTicket; readonly next: Step }
  | TurnStep
  | { readonly do: 'leave'; readonly next: Step }
  /**
   * Takes items from the budget of the hub; `next` is called with `granted` and `spreadMs`, or with 0 granted after a wait
   * of `LONGEST_WAIT_SECONDS` at most, so that it can look at the record.
   */
  | { readonly do: 'pace'; readonly items: number; readonly itemsPerMinute: number; readonly next: CallStep }
  | { readonly do: 'lanes'; readonly runId: string; readonly work: LanesWork; readonly next: Step };

/** The record of a run is read at least this often while it waits: a cancel or suspend whose event was lost is seen then. */
export const LONGEST_WAIT_SECONDS = 30;
