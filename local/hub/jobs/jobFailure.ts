import { once } from 'node:events';
import type { JobFault } from '../faults.ts';

/** The end of a job that fails: the message becomes its failureReason. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
}

/** Fails or hangs a job that has been told to, once it has done as much as it should. */
export async function demandOutcome(fault: JobFault | undefined, done: number, signal: AbortSignal): Promise<void> {
  if (fault === undefined || fault.outcome === 'noLog' || done < fault.afterLines) return;
  if (fault.outcome === 'fail') throw new JobFailure(fault.message);
  if (!signal.aborted) await once(signal, 'abort');
  signal.throwIfAborted();
}
