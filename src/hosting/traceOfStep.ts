/** Activities as spans of the trace of their run. */

import type { InvocationContext } from '@azure/functions';

import type { RunBase } from '../lib/runs/runRecord.ts';
import type { RunStore } from '../lib/runs/runStore.ts';
import { isSameTrace, isTold, span } from '../lib/telemetry/telemetry.ts';

export interface StepOfRun {
  readonly activity: string;
  readonly runId: string;
  /** What it does, as its logs have it. */
  readonly step: string;
}

/** So many runs can hardly be under way in one process. */
const MOST_KNOWN = 1000;
/** Traces of runs, which never change. */
const known = new Map<string, string | undefined>();

/**
 * Does a step of a run as a span. Where the host traces the orchestration itself, the span is below what the host says,
 * which is of the same trace; else it is below what has begun the run.
 */
export async function traceOfStep<Result>(
  runs: Pick<RunStore<RunBase>, 'read'>,
  invocation: Pick<InvocationContext, 'traceContext'>,
  { activity, runId, step }: StepOfRun,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!isTold()) return work();
  const ofRun = await traceOf(runs, runId);
  const ofHost = invocation.traceContext?.traceParent;
  const parent = isSameTrace(ofHost, ofRun) ? ofHost : ofRun;
  const attributes = { 'hubkeeper.run': runId, 'hubkeeper.step': step };
  return span(`activity ${activity}`, { attributes, parent }, work);
}

async function traceOf(runs: Pick<RunStore<RunBase>, 'read'>, runId: string): Promise<string | undefined> {
  if (!known.has(runId)) {
    // The step itself says what is wrong with a record that cannot be read.
    const record = await runs.read(runId).catch(() => undefined);
    if (record === undefined) return undefined;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(runId, record.traceparent);
  }
  return known.get(runId);
}
