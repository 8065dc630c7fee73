import { expect } from 'vitest';

import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { hubContainer } from '../helpers/hubContainer.ts';
import type { TestStack } from '../helpers/stack.ts';
import { buildFleet, type FleetSize, wipeHub } from './fleet.ts';
import { differences, type RegistryState, registryState } from './registryState.ts';

/** Starts work by HTTP. @returns the id of its run */
export async function beginWork(stack: TestStack, path: string, body?: object): Promise<string> {
  const reply = await stack.api('POST', path, body);
  expect(reply, path).toMatchObject({ status: 202, body: { state: 'accepted' } });
  return (reply.body as WorkRun).runId;
}

/** Starts work by HTTP and waits for its end. */
export async function doWork(stack: TestStack, path: string, body?: object, timeoutMs?: number): Promise<WorkRun> {
  return stack.finalRun<WorkRun>(await beginWork(stack, path, body), timeoutMs);
}

/** A backup that has to be good. @returns its name */
export async function backUp(stack: TestStack, timeoutMs?: number): Promise<string> {
  const run = await doWork(stack, 'backups', undefined, timeoutMs);
  expect(run).toMatchObject({ state: 'completed', result: { verified: true, extrasComplete: true } });
  return String(run.result?.['backup']);
}

/** What the name of a hub is confirmed with. */
export function hubNameOf({ connectionString }: TestStack): string {
  return /HostName=([^;]*)/.exec(connectionString)?.[1] ?? '';
}

export async function stateOf(stack: TestStack): Promise<RegistryState> {
  return registryState(stack.rest, await hubContainer(stack.blobs));
}

export interface RoundTrip {
  readonly backup: string;
  readonly restored: WorkRun;
  readonly differences: readonly string[];
  readonly seconds: { readonly backup: number; readonly restore: number };
}

/** A fleet is built, backed up, wiped out and restored; all but backup and restore are done by plain REST. */
export async function backUpWipeRestore(stack: TestStack, size: FleetSize, timeoutMs?: number): Promise<RoundTrip> {
  const container = await hubContainer(stack.blobs);
  await buildFleet(stack.rest, container, size);
  const before = await registryState(stack.rest, container);
  expect(Object.keys(before.devices)).toHaveLength(size.devices);
  const backUpAt = performance.now();
  const backup = await backUp(stack, timeoutMs);
  const backedUpAt = performance.now();
  await wipeHub(stack.rest, container);
  expect(Object.keys((await registryState(stack.rest)).devices)).toHaveLength(0);
  const body = { backup, mode: 'exact', confirm: hubNameOf(stack) };
  const restoreAt = performance.now();
  const restored = await doWork(stack, 'restores', body, timeoutMs);
  const seconds = { backup: (backedUpAt - backUpAt) / 1000, restore: (performance.now() - restoreAt) / 1000 };
  return { backup, restored, seconds, differences: differences(before, await registryState(stack.rest, container)) };
}
