/** What the record of a run says of what holds it up. */

import { defined } from '../defined.ts';
import type { RunContext } from './runContext.ts';
import type { RunBase, RunWaiting } from './runRecord.ts';

/** For how long the run has been held up by something of these kinds, ms; 0 when it is by none. */
export function waitedMs(
  { now }: Pick<RunContext, 'now'>,
  { waiting }: Pick<RunBase, 'waiting'>,
  kinds: readonly RunWaiting['kind'][],
): number {
  return waiting !== undefined && kinds.includes(waiting.kind) ? now().getTime() - Date.parse(waiting.since) : 0;
}

/** Nothing holds the run up any more: what comes next has its own time. */
export async function doneWaiting<Run extends RunBase>(context: RunContext<Run>, runId: string): Promise<void> {
  await context.runs.update(runId, (record) => {
    if (record.waiting === undefined) return undefined;
    const { waiting: _waiting, ...rest } = record;
    return rest as Run;
  });
}

/** Notes what the run waits for; since when counts anew when the kind of waiting changes. */
export async function waitingFor<Run extends RunBase>(
  context: RunContext<Run>,
  runId: string,
  waiting: {
    readonly kind: 'busy' | 'trouble';
    readonly reason: string;
    readonly phase?: NonNullable<Run['phase']>;
  },
): Promise<void> {
  const { phase, ...why } = waiting;
  await context.runs.update(runId, (current) => {
    const before = current.waiting;
    if (before?.kind === waiting.kind && before.reason === waiting.reason) return undefined;
    const since = before?.kind === waiting.kind ? before.since : context.now().toISOString();
    return { ...current, ...defined({ phase }), waiting: { ...why, since } };
  });
}

/** Notes its place in the queue of its hub; since when it waits stays. A suspended run stands in no queue. */
export async function noteTurnPosition<Run extends RunBase>(
  context: RunContext<Run>,
  { runId, waiting }: Pick<RunBase, 'runId' | 'waiting'>,
  position: number,
): Promise<void> {
  if (waiting?.kind === 'turn' && waiting.position === position) return;
  const now = context.now().toISOString();
  await context.runs.update(runId, (current) => {
    if (current.suspendedAt !== undefined) return undefined;
    const since = current.waiting?.kind === 'turn' ? current.waiting.since : now;
    const reason = `waiting for its turn: ${aheadText(position)}`;
    return { ...current, phase: 'turn', waiting: { since, kind: 'turn', reason, position } };
  });
}

export function aheadText(position: number): string {
  return position === 1 ? '1 run is ahead' : `${position} runs are ahead`;
}
