/** What every step begins with: the record of a run that is still to be worked on. */

import { isFinal } from '../../runs/runRecord.ts';
import { isSent, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

/** The record of a run that may go on; undefined when it has ended (or a cancel ended it just now). */
export async function openRun(context: ProvisioningContext, runId: string): Promise<ProvisionRun | undefined> {
  const record = await context.runs.read(runId);
  if (record === undefined) throw new Error(`The record of run ${runId} is gone.`);
  return isFinal(record.state) ? undefined : record;
}

/** Cancelled before its import was sent. Once it was, or may have been, the run goes on to its job, which is cancelled. */
export function isCancelledBefore(record: ProvisionRun): boolean {
  return record.cancelRequestedAt !== undefined && !isSent(record);
}

/** How a run ends that was cancelled before its import was sent. */
export const CANCELLED = { state: 'cancelled', error: runError('cancelled:beforeSend') } as const;
