/**
 * The run record: `hubkeeper-runs/<runId>.json`, the truth about one run and its progress.
 *
 * It outlives durable history (which is purged) and decides alone whether what it is about has already been run. It never
 * holds a key, a signature or a whole line of the input. What stands here, any long work has; each kind of runs adds what
 * is its own, and gives its definition to the store (`RunKinds`).
 */

/** What became of one input line. Every line of a drop ends in exactly one of these. */
export const OUTCOMES = [
  'succeeded',
  'succeededWithWarning',
  'unchanged',
  'failed',
  'rejected',
  'skipped',
  'unconfirmed',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Counts of outcomes, of no line. */
export function noOutcomes(): Record<Outcome, number> {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
}

/** Whether somebody has to look at a line with this outcome. */
export function needsPerson(outcome: Outcome): boolean {
  return outcome === 'failed' || outcome === 'rejected' || outcome === 'unconfirmed';
}

/** States a run passes through; the last six are final. */
export const RUN_STATES = [
  'accepted',
  'running',
  'completed',
  'completedWithFailures',
  'refused',
  'cancelled',
  'failed',
  'stale',
] as const;
export type RunState = (typeof RUN_STATES)[number];

export function isFinal(state: RunState): boolean {
  return state !== 'accepted' && state !== 'running';
}

/** Whether a person holds the run back; one that was cancelled is not held back any more: it has to end. */
export function isSuspended<Run extends RunBase>(run: Run): run is Run & { readonly suspendedAt: string } {
  return run.suspendedAt !== undefined && run.cancelRequestedAt === undefined;
}

/** What a run is about: the compiler asks for the definition of each, in `runKinds.ts`. */
export const RUN_KIND_NAMES = [
  'provision',
  'backup',
  'verify',
  'plan',
  'restore',
  'undo',
  'deleteAll',
  'drill',
  'reconcile',
] as const;
export type RunKind = (typeof RUN_KIND_NAMES)[number];

export interface RunJob {
  readonly jobId: string;
  /** As the hub spells it: enqueued, running, completed, failed, cancelled, … */
  readonly status: string;
  readonly progress: number;
  readonly createdAt: string;
  /** One of several jobs that could be this run's: what it ended as proves little. */
  readonly ambiguous?: true;
  /** It never ended, and nothing tells whose it is: it is not cancelled. */
  readonly mayBeForeign?: true;
  /** The hub's own words for a job that failed, redacted. */
  readonly failureReason?: string;
  /** After this instant the job is no longer waited for. */
  readonly deadline: string;
  /** Of one that is done anew when what it found is old: for which epoch it is. */
  readonly epoch?: string;
}

export interface RunError {
  readonly code: string;
  /** What happened, without secrets. */
  readonly message: string;
  /** What a person can do about it. */
  readonly action?: string;
  /** Where a confirmation is missing: the name that has to be given. */
  readonly confirm?: string;
}

/** Blob names in `provision-results`. */
export interface RunReportFiles {
  readonly container: string;
  readonly json: string;
  /** Absent when the lines of the file could not be read. */
  readonly csv?: string;
  readonly failedDevices?: string;
  readonly rejectedLines?: string;
  /** Every line of `configurations.txt`. */
  readonly configurations?: string;
  /** Of work that is no provisioning: the plan, what no line did, what differed in the end; a line of JSON each. */
  readonly changes?: string;
  readonly rest?: string;
  readonly differences?: string;
  /** Of a reconcile: how the mirror was other than the registry; a line of JSON each. */
  readonly drift?: string;
}

/**
 * What holds a run up: a hub that does something else, transient trouble, or the runs that are ahead of it, of which
 * `position` says how many.
 */
export interface RunWaiting {
  readonly since: string;
  readonly kind: 'busy' | 'trouble' | 'turn';
  readonly reason: string;
  readonly position?: number;
}

/** How far what the run is at has come, where it goes line by line: in which part of it, and about how many are left. */
export interface RunProgress {
  readonly part: string;
  readonly lines: number;
  readonly left: number;
}

/** What the record of any run says, whatever its kind. */
export interface RunBase {
  readonly kind: RunKind;
  /** Of the form of this kind's records. */
  readonly version: number;
  readonly runId: string;
  /** Alias of the hub; absent while it is not known or not valid. */
  readonly hub?: string;
  readonly state: RunState;
  /** Where it is, in the words of its kind. */
  readonly phase?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt?: string;
  /** When it first asked for its turn on the hub. */
  readonly turnAskedAt?: string;
  readonly finishedAt?: string;
  /** The latest claim to start the orchestration: only the claimer starts it; a stale claim may be taken over. */
  readonly startClaim?: { readonly at: string; readonly attempt: number };
  readonly cancelRequestedAt?: string;
  /** Set while a person has suspended the run. */
  readonly suspendedAt?: string;
  /** How long it was suspended before, in all. */
  readonly suspendedMs?: number;
  readonly waiting?: RunWaiting;
  readonly progress?: RunProgress;
  /** The jobs that the hub has done for it, by what they are for: of each the latest. */
  readonly jobs: Readonly<Record<string, RunJob | undefined>>;
  /** Of its lines, once it has ended. */
  readonly outcomes?: Readonly<Record<Outcome, number>>;
  readonly error?: RunError;
  readonly report?: RunReportFiles;
  /** Runs whose containers it reads: these are kept as long as it goes on. */
  readonly reads?: readonly string[];
  /** Where the spans of the run belong, as W3C Trace Context writes it; absent: nothing was traced when it began. */
  readonly traceparent?: string;
  /** The run that applies the lines that this one has made. */
  readonly appliedBy?: string;
}

export function hubOf({ runId, hub }: Pick<RunBase, 'runId' | 'hub'>): string {
  if (hub === undefined) throw new Error(`The run ${runId} names no hub.`);
  return hub;
}
