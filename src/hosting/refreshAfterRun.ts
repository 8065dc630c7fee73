import type { InvocationContext } from '@azure/functions';

import type { RunContext } from '../lib/runs/runContext.ts';
import { startRefreshes } from './refreshStarter.ts';

/** A run that has ended has handed over what it has touched: the mirror need not wait for its timer. */
export async function refreshAfterRun(
  { settings, runs }: Pick<RunContext, 'settings' | 'runs'>,
  invocation: InvocationContext,
  runId: string,
  step: unknown,
): Promise<void> {
  if (settings.mirror === undefined || !isEnded(step)) return;
  // Whatever its record is: the run has ended, and nothing of this takes that back.
  const record = await runs.read(runId).catch(() => undefined);
  if (record?.hub !== undefined) await startRefreshes(invocation, [record.hub]);
}

function isEnded(step: unknown): boolean {
  return typeof step === 'object' && step !== null && 'do' in step && step.do === 'ended';
}
