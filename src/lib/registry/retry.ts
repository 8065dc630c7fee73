/**
 * Which failed calls the client retries by itself: twice at most and within seconds. Whatever takes longer is the
 * business of the orchestration, which can wait without holding a process.
 */

import type { RetryInformation, RetryModifiers, RetryStrategy } from '@azure/core-rest-pipeline';

import { wasNeverSent } from './hubError.ts';

/**
 * How a call may be repeated:
 * `always`: reads, and writes that give the same result when done twice;
 * `whenRefused`: only after a reply (429, 503) or failure that proves that nothing was done;
 * `never`: the caller decides (a second import job is worse than a late error).
 */
export type RetrySafety = 'always' | 'whenRefused' | 'never';

export interface RetryTiming {
  readonly baseDelayMs: number;
  /** A hub that asks for a longer pause is not waited for here. */
  readonly maxDelayMs: number;
}

export function createRetryStrategy(safety: RetrySafety, timing: RetryTiming): RetryStrategy {
  return {
    name: 'hubRetryStrategy',
    retry: (info) => decideRetry(info, safety, timing),
  };
}

function decideRetry(info: RetryInformation, safety: RetrySafety, timing: RetryTiming): RetryModifiers {
  const { response, responseError } = info;
  if (safety === 'never') return { skipStrategy: true };
  const status = response?.status;
  const refused = status === undefined ? wasNeverSent(responseError?.code) : status === 429 || status === 503;
  const unknown = status === undefined ? !refused : [408, 500, 502, 504].includes(status);
  if (!refused && !(unknown && safety === 'always')) return { skipStrategy: true };
  const asked = response === undefined ? undefined : retryAfterMs((name) => response.headers.get(name));
  if (asked !== undefined && asked > timing.maxDelayMs) return { skipStrategy: true };
  return { retryAfterInMs: asked ?? backoffMs(info.retryCount, timing) };
}

/** Doubles with each try, half of it at random so that many clients do not come back together. */
function backoffMs(retryCount: number, timing: RetryTiming): number {
  const full = Math.min(timing.maxDelayMs, timing.baseDelayMs * 2 ** retryCount);
  return full / 2 + (Math.random() * full) / 2;
}

/** What the reply asks for, ms: `retry-after-ms`, `x-ms-retry-after-ms`, or `Retry-After` in seconds or as a date. */
export function retryAfterMs(header: (name: string) => string | undefined, now = Date.now()): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const value = header(name);
    if (value !== undefined && /^\d{1,10}$/.test(value)) return Number(value);
  }
  const value = header('Retry-After');
  if (value === undefined) return undefined;
  if (/^\d{1,7}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
