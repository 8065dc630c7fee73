import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationRequest, InvocationResult, Invoke } from './contracts.ts';

/** A function's `retry` option, read. */
export interface RetryPolicy {
  /** -1 for without end. */
  readonly maxRetryCount: number;
  /** Milliseconds before the given retry, counted from 1. */
  delay(retry: number): number;
}

const seconds = (value: unknown): number | undefined =>
  typeof value === 'object' && value !== null && typeof (value as { seconds?: unknown }).seconds === 'number'
    ? (value as { seconds: number }).seconds
    : undefined;

/** @throws Error naming the member that is wrong (https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages). */
export function parseRetry(options: Readonly<Record<string, unknown>>): RetryPolicy {
  const { retryStrategy, maxRetryCount } = options;
  if (typeof maxRetryCount !== 'number' || !Number.isInteger(maxRetryCount) || maxRetryCount < -1) {
    throw new Error(`"retry.maxRetryCount" must be a whole number or -1, not ${JSON.stringify(maxRetryCount)}`);
  }
  if (retryStrategy === 'fixedDelay') {
    const delay = seconds(options['delayInterval']);
    if (delay === undefined) {
      throw new Error('"retry.delayInterval" is missing');
    }
    return { maxRetryCount, delay: () => delay * 1000 };
  }
  if (retryStrategy === 'exponentialBackoff') {
    const minimum = seconds(options['minimumInterval']);
    const maximum = seconds(options['maximumInterval']);
    if (minimum === undefined || maximum === undefined) {
      throw new Error('"retry.minimumInterval" or "retry.maximumInterval" is missing');
    }
    return { maxRetryCount, delay: (retry) => Math.min(minimum * 2 ** (retry - 1), maximum) * 1000 };
  }
  throw new Error(
    `"retry.strategy" must be "fixedDelay" or "exponentialBackoff", not ${JSON.stringify(retryStrategy)}`,
  );
}

/** Invokes until success or the end of the policy, and rejects with the last error. `stop` ends the waiting. */
export async function invokeWithRetry(
  invoke: Invoke,
  target: { readonly functionName: string; readonly request: InvocationRequest },
  policy: RetryPolicy | undefined,
  stop: AbortSignal,
): Promise<InvocationResult> {
  for (let retryCount = 0; ; retryCount++) {
    try {
      const retryContext = policy && { retryContext: { retryCount, maxRetryCount: policy.maxRetryCount } };
      // The first try has no retry context, as on the real host.
      return await invoke(target.functionName, { ...target.request, ...(retryCount > 0 && retryContext) });
    } catch (error) {
      if (policy === undefined || (policy.maxRetryCount !== -1 && retryCount >= policy.maxRetryCount) || stop.aborted) {
        throw error;
      }
      await sleep(policy.delay(retryCount + 1), undefined, { signal: stop });
    }
  }
}
