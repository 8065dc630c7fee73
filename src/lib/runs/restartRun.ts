import { type CodeText, speakerOf } from '../codeText.ts';
import { cancelAppliedRun } from './appliedRun.ts';
import { tellOfEnd } from './endRun.ts';
import { RunDamaged } from './parseRunRecord.ts';
import type { RunContext } from './runContext.ts';
import { isFinal, type RunKind } from './runRecord.ts';

/** The durable engine, as far as starting a run needs it. */
export interface RunStarter {
  /** Whether an orchestration of that id exists and has not ended. */
  isLive(runId: string): Promise<boolean>;
  /** @param attempt which start of the run this is, from 1 */
  start(runId: string, attempt: number, kind: RunKind): Promise<void>;
}

export type RestartResult =
  | { readonly started: true; readonly runId: string }
  | { readonly started: false; readonly reason: 'final' | 'live' | 'gaveUp' | 'damaged'; readonly runId: string };

export const RESTART_TEXTS = {
  orchestrationLost: {
    says: 'The run was started {times} times, and each time its orchestration ended without a result.',
    action: 'Look at the logs of the app, then drop the file again.',
    retried: true,
  },
} as const satisfies Record<string, CodeText>;

/** A claim to start a run is good for this long; then whoever comes next may take it over. */
const CLAIM_MS = 15_000;
/** A run whose orchestration was lost this many times is not started once more. */
const MAX_STARTS = 5;

/** Starts the orchestration of an unfinished run again when it has none that is alive; never one whose record is damaged. */
export async function restartIfLost(context: RunContext, starter: RunStarter, runId: string): Promise<RestartResult> {
  try {
    return await startAgain(context, starter, runId);
  } catch (error) {
    if (!(error instanceof RunDamaged)) throw error;
    context.log.log('warn', `${error.message} ${error.action ?? ''}`);
    return { started: false, reason: 'damaged', runId };
  }
}

async function startAgain(context: RunContext, starter: RunStarter, runId: string): Promise<RestartResult> {
  for (;;) {
    const current = await context.runs.read(runId);
    if (current === undefined || isFinal(current.state)) return { started: false, reason: 'final', runId };
    if (await starter.isLive(runId)) return { started: false, reason: 'live', runId };

    const claim = current.startClaim;
    const age = claim === undefined ? Number.POSITIVE_INFINITY : context.now().getTime() - Date.parse(claim.at);
    // A claim from the future was made by a clock that is far off, and says nothing.
    if (Math.abs(age) < CLAIM_MS) {
      // Somebody is starting it this moment, or died while doing so: wait and see, so that no start is ever lost.
      await context.sleep(1_000);
      continue;
    }
    const attempt = (claim?.attempt ?? 0) + 1;
    if (attempt > MAX_STARTS) {
      await tellOfEnd(context, runId);
      await cancelAppliedRun(context, current, true);
      await context.runs.update(runId, (record) => ({
        ...record,
        state: 'failed',
        finishedAt: context.now().toISOString(),
        error: speakerOf(RESTART_TEXTS)('orchestrationLost', { times: MAX_STARTS }),
      }));
      return { started: false, reason: 'gaveUp', runId };
    }
    const at = context.now().toISOString();
    let mine = false;
    await context.runs.update(runId, (record) => {
      mine = record.startClaim?.at === claim?.at;
      return mine ? { ...record, startClaim: { at, attempt } } : undefined;
    });
    if (!mine) continue;
    await starter.start(runId, attempt, current.kind);
    return { started: true, runId };
  }
}
