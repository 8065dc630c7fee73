import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { InvocationContext } from '@azure/functions';
import { type DurableClient, input as durableInput, getClient } from 'durable-functions';
import { collectOutput, endProcess, type Output } from '../../../helpers/childOutput.ts';
import type { EngineMainOptions } from './engineMain.ts';

const main = fileURLToPath(new URL('./engineMain.ts', import.meta.url));
export const durableApp = fileURLToPath(new URL('../../../fixtures/apps/durable', import.meta.url));

/** Status body of the management API. */
export interface InstanceStatus {
  readonly name: string;
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly customStatus: unknown;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly historyEvents?: readonly Readonly<Record<string, unknown>>[];
}

export interface EngineProcess {
  /** The real client library over the engine's own binding. */
  readonly client: DurableClient;
  /** `http://127.0.0.1:PORT/runtime/webhooks/durabletask` */
  readonly webhook: string;
  readonly databasePath: string;
  readonly log: Output;
  /** Starts an orchestration and waits for its end. */
  run(name: string, input?: unknown, instanceId?: string): Promise<InstanceStatus>;
  start(name: string, input?: unknown, instanceId?: string): Promise<string>;
  status(instanceId: string, query?: string): Promise<InstanceStatus>;
  /** Polls until the condition holds; the status that fulfils it. */
  until(instanceId: string, holds: (status: InstanceStatus) => boolean, timeoutMs?: number): Promise<InstanceStatus>;
  untilEnded(instanceId: string, timeoutMs?: number): Promise<InstanceStatus>;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

export function hasEnded({ runtimeStatus }: InstanceStatus): boolean {
  return ['Completed', 'Failed', 'Terminated'].includes(runtimeStatus);
}

/** Starts the engine on the fixture app in a child process. Without a database path it gets a new one, deleted at the end. */
export async function startEngine(options: Partial<EngineMainOptions> = {}): Promise<EngineProcess> {
  const temporary = options.databasePath === undefined ? await mkdtemp(join(tmpdir(), 'durable-')) : undefined;
  const databasePath = options.databasePath ?? join(temporary ?? '', 'durable.sqlite');
  const child = spawnEngine({ appDirectory: durableApp, ...options, databasePath });
  const stdout = collectOutput(child, child.stdout);
  const log = collectOutput(child, child.stderr);
  const end = async (signal: NodeJS.Signals) => {
    const code = await endProcess(child, signal);
    if (temporary !== undefined) {
      await rm(temporary, { recursive: true, force: true });
    }
    return code;
  };
  let ready: string;
  try {
    ready = await stdout.waitFor((text) => text.includes('\n'), 'ready line of the engine');
  } catch (error) {
    await end('SIGKILL');
    throw new Error(`${error instanceof Error ? error.message : error}\n${log.text()}`);
  }
  const binding = JSON.parse(ready) as { readonly baseUrl: string };
  const client = durableClient(binding);
  const webhook = binding.baseUrl;

  const call: EngineProcess['call'] = (method, path, body, headers = {}) =>
    fetch(`${webhook}/${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const status: EngineProcess['status'] = async (instanceId, query = '') => {
    const response = await call('GET', `instances/${instanceId}${query}`);
    if (response.status !== 200 && response.status !== 202) {
      throw new Error(`Status of ${instanceId}: HTTP ${response.status}`);
    }
    return (await response.json()) as InstanceStatus;
  };
  const until: EngineProcess['until'] = async (instanceId, holds, timeoutMs = 45_000) => {
    const begin = Date.now();
    for (;;) {
      const current = await status(instanceId);
      if (holds(current)) {
        return current;
      }
      const elapsed = Date.now() - begin;
      if (elapsed > timeoutMs) {
        throw new Error(`${instanceId} is still ${JSON.stringify(current)}; log:\n${log.text()}`);
      }
      // Quick at first, then sparing: many of these run at a time.
      await pause(Math.min(200, 10 + elapsed / 10));
    }
  };
  const start: EngineProcess['start'] = (name, input, instanceId) =>
    client.startNew(name, { ...(input !== undefined && { input }), ...(instanceId !== undefined && { instanceId }) });
  return {
    client,
    webhook,
    databasePath,
    log,
    call,
    status,
    until,
    start,
    untilEnded: (instanceId, timeoutMs) => until(instanceId, hasEnded, timeoutMs),
    async run(name, input, instanceId) {
      return until(await start(name, input, instanceId), hasEnded);
    },
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
    },
  };
}

/** The client library takes its binding from a function's context and from nowhere else. */
function durableClient(binding: unknown): DurableClient {
  const context = { options: { extraInputs: [durableInput.durableClient()] }, extraInputs: { get: () => binding } };
  return getClient(context as unknown as InvocationContext);
}

/** The bare child process, for engines that are expected to refuse their start. */
export function spawnEngine(options: EngineMainOptions) {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
