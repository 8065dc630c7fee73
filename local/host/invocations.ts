import type { InvocationRequest, InvocationResult, Invoke, LoadedFunction } from './contracts.ts';
import { errorText, type HostLog } from './log.ts';

/** The host's side of running functions: time limit, log lines, and the knowledge of what still runs. */
export interface Invocations {
  readonly invoke: Invoke;
  /** Waits until nothing runs, at most so long; the number of invocations that still run then. */
  drain(timeoutMs: number): Promise<number>;
}

export interface InvocationsOptions {
  readonly invoke: Invoke;
  readonly functions: readonly LoadedFunction[];
  /** Milliseconds; undefined for no limit. */
  readonly timeoutMs: number | undefined;
  readonly log: HostLog;
}

/** The longest time that `setTimeout` can wait. */
const longestTimer = 2 ** 31 - 1;

/** An orchestrator runs once per step and throws as part of its protocol: the durable engine logs what matters. */
const quietTriggers = new Set(['orchestrationTrigger', 'entityTrigger']);

export function createInvocations(options: InvocationsOptions): Invocations {
  const { log, timeoutMs } = options;
  const running = new Set<Promise<unknown>>();
  const quiet = new Set(options.functions.filter((f) => quietTriggers.has(f.triggerType)).map((f) => f.name));

  async function invoke(name: string, request: InvocationRequest): Promise<InvocationResult> {
    const started = performance.now();
    const took = () => `${Math.round(performance.now() - started)} ms`;
    log('debug', name, 'Executing');
    try {
      const result = await withTimeLimit(options.invoke(name, request), name, timeoutMs);
      log(quiet.has(name) ? 'debug' : 'info', name, `Executed (succeeded, ${took()})`);
      return result;
    } catch (error) {
      log(quiet.has(name) ? 'debug' : 'error', name, `Executed (failed, ${took()}): ${errorText(error)}`);
      throw error;
    }
  }

  return {
    invoke(name, request) {
      const invocation = invoke(name, request);
      const settled: Promise<unknown> = invocation.then(
        () => running.delete(settled),
        () => running.delete(settled),
      );
      running.add(settled);
      return invocation;
    },
    async drain(limitMs) {
      const limit = AbortSignal.timeout(limitMs);
      const over = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }));
      while (running.size > 0 && !limit.aborted) {
        await Promise.race([over, ...running]);
      }
      return running.size;
    },
  };
}

/**
 * Fails an invocation that takes too long. JavaScript cannot be stopped from outside: what the handler does after that
 * goes on unheard, where Azure ends the whole worker process.
 */
async function withTimeLimit<T>(work: Promise<T>, name: string, timeoutMs: number | undefined): Promise<T> {
  if (timeoutMs === undefined) {
    return work;
  }
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Timeout value of ${timeoutMs / 1000} s exceeded by function "${name}".`)),
      Math.min(timeoutMs, longestTimer),
    );
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
