import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { collectExtras, EXTRAS_START, type ExtrasPosition } from '../../../src/lib/registryExtras/collectExtras.ts';
import type { ExtraLine } from '../../../src/lib/registryExtras/extraLine.ts';
import type { WorkLimits } from '../../../src/lib/registryExtras/hubWork.ts';
import type { ModulesToAsk } from '../../../src/lib/registryExtras/planExtras.ts';
import { type ExtrasHub, limits, startExtrasHub, watched } from './extrasHub.ts';

let at: ExtrasHub;
let scopes: Record<string, string>;

/** More than fit on a page of the simulator. */
const EDGES = 105;

beforeAll(async () => {
  at = await startExtrasHub();
  const { hub } = at;
  const top = await hub.createDevice({ deviceId: 'top', capabilities: { iotEdge: true } });
  const low = await hub.createDevice({
    deviceId: 'low',
    capabilities: { iotEdge: true },
    parentScopes: [top.deviceScope ?? ''],
  });
  scopes = { top: top.deviceScope ?? '', low: low.deviceScope ?? '' };
  const others = Array.from({ length: EDGES - 2 }, (_, n) => `edge${n}`);
  await Promise.all(others.map((deviceId) => hub.createDevice({ deviceId, capabilities: { iotEdge: true } })));
  for (const deviceId of ['a', 'b', 'blocked']) {
    await hub.createDevice({ deviceId });
    await hub.createModule({ deviceId, moduleId: 'managed', managedBy: `some "body" of ${deviceId}` });
    await hub.createModule({ deviceId, moduleId: 'free' });
  }
  await hub.updateDevice({ deviceId: 'blocked', status: 'disabled' });
});
afterEach(() => at.faults());
afterAll(() => at.close());

const ask = (id: string, ...moduleIds: string[]): ModulesToAsk => ({ kind: 'ask', id, moduleIds });
const ASKS = [ask('a', 'managed', 'free'), ask('gone', 'x'), ask('b', 'managed', 'gone')];

async function collectAll(asks: readonly ModulesToAsk[], change: Partial<WorkLimits> = {}) {
  const calls: string[] = [];
  const lines: ExtraLine[] = [];
  let position: ExtrasPosition = EXTRAS_START;
  let steps = 0;
  while (!position.done && steps < 100) {
    const stored = JSON.parse(JSON.stringify(position)) as ExtrasPosition;
    const step = await collectExtras(watched(at.hub, calls), asks, stored, limits(change));
    lines.push(...step.lines);
    position = step.position;
    steps += 1;
    if (step.stoppedBy?.retryable === false) break;
  }
  return { lines, position, steps, calls };
}

describe('the extras of a hub', () => {
  it('are who manages the modules of the export, and the scopes of all edge devices', async () => {
    const { lines, position } = await collectAll(ASKS);
    const moduleTag = async (deviceId: string, moduleId: string) =>
      (await at.hub.getModule(deviceId, moduleId))?.etag ?? 'none';
    const modules = [
      { kind: 'module', id: 'a', moduleId: 'free', eTag: await moduleTag('a', 'free'), managedBy: null },
      {
        kind: 'module',
        id: 'a',
        moduleId: 'managed',
        eTag: await moduleTag('a', 'managed'),
        managedBy: 'some "body" of a',
      },
      {
        kind: 'module',
        id: 'b',
        moduleId: 'managed',
        eTag: await moduleTag('b', 'managed'),
        managedBy: 'some "body" of b',
      },
    ];
    for (const module of modules) expect(lines).toContainEqual(module);
    expect(lines.filter(({ kind }) => kind === 'module')).toHaveLength(modules.length);
    expect(lines).toContainEqual({ kind: 'edge', id: 'top', deviceScope: scopes['top'], parentScopes: [] });
    expect(lines).toContainEqual({
      kind: 'edge',
      id: 'low',
      deviceScope: scopes['low'],
      parentScopes: [scopes['top']],
    });
    expect(position).toMatchObject({ done: true, asked: 3, unreadable: 0 });
    expect(lines.filter(({ kind }) => kind === 'edge')).toHaveLength(EDGES);
  });

  it('are the same when they are read in steps of one call', async () => {
    const whole = await collectAll(ASKS);
    const stepwise = await collectAll(ASKS, { atMost: 1 });
    expect(stepwise.lines).toEqual(whole.lines);
    expect(stepwise.position).toEqual(whole.position);
    expect(stepwise.steps).toBeGreaterThan(4);
  });

  it('are not complete when the time is up, and nothing is called after that', async () => {
    const { hub } = at;
    const calls: string[] = [];
    const step = await collectExtras(
      watched(hub, calls),
      ASKS,
      EXTRAS_START,
      limits({ now: () => new Date('2027-01-01') }),
    );
    expect(step).toEqual({ lines: [], position: EXTRAS_START });
    expect(calls).toEqual([]);
    expect(step.position.done).toBe(false);
  });

  it('keep what was read when the hub is in trouble, and go on from there', async () => {
    const whole = await collectAll(ASKS);
    await at.faults({ operation: 'listModules', code: 'ThrottlingBacklogTimeout', skip: 1, count: 3 });
    const first = await collectExtras(at.hub, ASKS, EXTRAS_START, limits());
    expect(first.stoppedBy).toMatchObject({ retryable: true, kind: 'throttled' });
    expect(first.position).toMatchObject({ edges: 'all', asked: 1, done: false });
    const second = await collectExtras(at.hub, ASKS, first.position, limits());
    expect([...first.lines, ...second.lines]).toEqual(whole.lines);
    expect(second.position.done).toBe(true);
  });

  it('of edge devices, too', async () => {
    await at.faults({ operation: 'queryDevices', code: 'ServiceUnavailable', skip: 1, count: 3 });
    const first = await collectExtras(at.hub, [], EXTRAS_START, limits());
    expect(first.stoppedBy?.retryable).toBe(true);
    expect(first.position.edges).toEqual({ continuation: expect.any(String) });
    const second = await collectExtras(at.hub, [], first.position, limits());
    expect(first.lines.length + second.lines.length).toBe(EDGES);
  });

  it('lack the modules of a disabled device, and those with an id that no URL can hold', async () => {
    const asks = [ask('blocked', 'managed', 'free'), ask('..', 'm'), ask('a', 'free')];
    const { lines, position } = await collectAll(asks);
    expect(lines.filter(({ kind }) => kind === 'module')).toHaveLength(1);
    expect(position).toMatchObject({ asked: 3, unreadable: 3 });
  });

  it('say so when the app may not read them', async () => {
    await at.faults({ operation: 'listModules', code: 'IotHubUnauthorizedAccess' });
    const { position, lines } = await collectAll(ASKS);
    expect(lines).toHaveLength(EDGES);
    expect(position).toMatchObject({ asked: 0, done: false });
  });
});
