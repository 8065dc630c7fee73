/**
 * The contract between orchestrations and activities.
 *
 * Inputs and results are small plain objects: they stay in the durable history and are read again at every step. Results
 * tell permanent failures as values; what an activity throws is transient and tried again.
 */

import { type OrchestrationContext, RetryOptions, type Task } from 'durable-functions';
import type { Epoch } from '../lib/provisioning/run/epoch.ts';
import type { JobKind } from '../lib/provisioning/run/provisionRun.ts';
import type { NextRound } from '../lib/provisioning/steps/nextRound.ts';
import type { ChunkInput, ChunkReply } from '../lib/provisioning/steps/workChunk.ts';
import type { TurnTicket } from '../lib/turns/turnQueue.ts';

interface RunStep {
  readonly runId: string;
}

/** A step of one epoch of the pre-image. */
interface EpochStep extends RunStep {
  readonly epoch: Epoch;
}

interface JobStep extends RunStep {
  readonly kind: JobKind;
  /** Of the pre-image that the export takes, or that the import was filled from. Default: the latest. */
  readonly epoch?: Epoch;
}

/**
 * The alias of the hub, and the place in its queue. Named by `readOptions`; in histories of an earlier version, by
 * `checkFile`.
 */
export interface NamedPlace {
  readonly hub?: string;
  readonly ticket?: TurnTicket;
}

export interface Activities {
  /** Reads the options of a drop, from its metadata or from `options.json` once the folder has been quiet. */
  readonly readOptions: {
    input: RunStep;
    output:
      | ({ readonly status: 'ready' } & NamedPlace)
      | { readonly status: 'wait'; readonly seconds: number }
      | { readonly status: 'ended' };
  };
  /** `job`: the run has something for its hub. `plan`: a dry run. */
  readonly checkFile: { input: RunStep; output: { readonly next: 'job' | 'plan' | 'ended' } & NamedPlace };
  /** Called while the turn is not granted; looks at `silentHolder` when there is one. */
  readonly awaitTurn: {
    input: RunStep & { readonly position: number; readonly silentHolder?: string; readonly again?: true };
    output: { readonly status: 'wait'; readonly evict: boolean } | { readonly status: 'ended' | 'jobStarted' };
  };
  /** Reads what the run may overwrite or delete; a large file needs an export for that. */
  readonly takePreImage: { input: EpochStep; output: { readonly status: 'ready' | 'export' | 'anew' | 'ended' } };
  readonly finishPreImage: { input: EpochStep; output: { readonly status: 'ready' | 'wait' | 'anew' | 'ended' } };
  /** The report of a dry run: what would happen. `anew`: what it compares with is gone. */
  readonly planRun: { input: EpochStep; output: { readonly state: string } };
  /** Stops a file that deletes much unconfirmed; else fills in what lines leave out and their devices have. */
  readonly fillLines: { input: EpochStep; output: { readonly status: 'ready' | 'anew' | 'ended' } };
  readonly startJob: {
    input: JobStep;
    output: { readonly status: 'started' | 'anew' | 'ended' } | { readonly status: 'wait'; readonly seconds: number };
  };
  /** `progress`: percent of a job that goes on. */
  readonly watchJob: { input: JobStep; output: { readonly ended: boolean; readonly progress?: number } };
  readonly cancelJob: { input: RunStep; output: { readonly asked: boolean } };
  /** What is next after the import job. `notEnded`: it can still change something, and has to be watched on. */
  readonly nextRound: { input: RunStep & { readonly finished?: string }; output: NextRound };
  readonly workChunk: { input: ChunkInput; output: ChunkReply };
  readonly settleRun: { input: RunStep; output: { readonly state: string } };
  readonly failRun: { input: RunStep & { readonly message: string }; output: { readonly state: string } };
}

export type ActivityName = keyof Activities;

/** Eight tries within about five minutes: longer trouble of the hub is waited for in the orchestration itself. */
function retryPolicy(): RetryOptions {
  const policy = new RetryOptions(2_000, 8);
  policy.backoffCoefficient = 2;
  policy.maxRetryIntervalInMilliseconds = 60_000;
  return policy;
}

/** Calls an activity and waits for it, typed. `yield*` it; never put it into `Task.all` or `Task.any`. */
export function* call<Name extends ActivityName>(
  context: OrchestrationContext,
  name: Name,
  input: Activities[Name]['input'],
): Generator<Task, Activities[Name]['output'], unknown> {
  const output = yield context.df.callActivityWithRetry(name, retryPolicy(), input);
  if (isFault(output)) throw new Error(output.fault);
  return output as Activities[Name]['output'];
}

/** What an activity returns when trying again cannot help: it is thrown at once, and ends what called it. */
export interface Fault {
  readonly fault: string;
}

function isFault(output: unknown): output is Fault {
  return typeof output === 'object' && output !== null && 'fault' in output && typeof output.fault === 'string';
}

/** Waits for `seconds` of durable time. */
export function* sleep(context: OrchestrationContext, seconds: number): Generator<Task, void, unknown> {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000));
}
