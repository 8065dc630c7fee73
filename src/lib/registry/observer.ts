/** What may be told of calls to a hub, and to whom. */

import type { PipelinePolicy } from '@azure/core-rest-pipeline';

/** A call as it may be told of: without ids, keys and the query. */
export interface ObservedCall {
  readonly method: string;
  /** Path of the request, `{id}` in place of every id: `/devices/{id}`. */
  readonly template: string;
  readonly hostName: string;
}

export interface CallObserver {
  /** Each call with its retries; `answered` with the status of its last reply. */
  call<Result>(call: ObservedCall, work: (answered: (status: number) => void) => Promise<Result>): Promise<Result>;
  /** Each 429, those that are retried too. */
  throttled(): void;
}

/** Nobody wants to know. */
export const UNOBSERVED: CallObserver = {
  call: (_call, work) => work(() => undefined),
  throttled: () => undefined,
};

/** Every segment of a path of the hub's API that is no id. */
const WORDS: ReadonlySet<string> = new Set(
  'devices modules twins jobs create query statistics configurations applyConfigurationContent methods service'.split(
    ' ',
  ),
);

/** @param path segments, not encoded */
export function templateOf(path: readonly string[]): string {
  return path.map((segment) => `/${WORDS.has(segment) ? segment : '{id}'}`).join('');
}

export function throttlePolicy({ throttled }: CallObserver): PipelinePolicy {
  return {
    name: 'hubThrottlePolicy',
    async sendRequest(request, next) {
      const response = await next(request);
      if (response.status === 429) throttled();
      return response;
    },
  };
}
