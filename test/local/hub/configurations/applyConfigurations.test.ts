import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { type HubClient, withHub } from '../hubClient.ts';

interface Given {
  readonly content: object;
  readonly targetCondition?: string;
  readonly priority?: number;
}

async function configure(client: HubClient, id: string, given: Given, ifMatch?: string) {
  const answer = await client.call('PUT', `/configurations/${id}`, {
    body: { id, priority: 1, targetCondition: '*', ...given },
    headers: ifMatch === undefined ? {} : { 'If-Match': ifMatch },
  });
  expect(answer.status).toBe(200);
  return answer.body;
}

const remove = (client: HubClient, id: string) => client.call('DELETE', `/configurations/${id}`);

const forDevices = (value: unknown) => ({ deviceContent: { 'properties.desired.c': value } });

async function create(client: HubClient, deviceId: string, tags: object = {}, iotEdge = false): Promise<void> {
  const body = [{ id: deviceId, status: 'enabled', tags, capabilities: { iotEdge } }];
  expect((await client.call('POST', '/devices', { body })).status).toBe(200);
}

/** Desired properties and configurations of a twin. */
async function twinOf(client: HubClient, path: string) {
  const { body } = await client.call('GET', `/twins/${path}`);
  const { $metadata: _metadata, $version: _version, ...desired } = body.properties.desired;
  return { desired, configurations: body.configurations };
}

async function metricsOf(client: HubClient, id: string) {
  return (await client.call('GET', `/configurations/${id}`)).body.systemMetrics;
}

/** What the hub's own query of each metric finds. */
async function countsByQuery(client: HubClient, id: string): Promise<Record<string, number>> {
  const { queries } = await metricsOf(client, id);
  const counts: Record<string, number> = {};
  for (const [name, text] of Object.entries(queries)) {
    const { status, body } = await client.call('POST', '/devices/query', { body: { query: text } });
    expect([text, status]).toEqual([text, 200]);
    counts[name] = body.length;
  }
  return counts;
}

const tag = (client: HubClient, deviceId: string, tags: object) =>
  client.call('PATCH', `/twins/${deviceId}`, { body: { tags } });

describe('a device configuration', () => {
  it('is applied to the twins that it targets, those of before and those that come or get the tag later', async () => {
    await withHub({}, async (client) => {
      await create(client, 'before', { site: 'x' });
      await create(client, 'other', { site: 'y' });
      const made = await configure(client, 'c1', { content: forDevices(1), targetCondition: "tags.site = 'x'" });
      expect(made.systemMetrics).toEqual({
        results: { targetedCount: 1, appliedCount: 1 },
        queries: {
          targetedCount: "select deviceId from devices where tags.site = 'x'",
          appliedCount: "select deviceId from devices where configurations.[[c1]].status = 'Applied'",
        },
      });
      await create(client, 'after', { site: 'x' });
      const applied = { desired: { c: 1 }, configurations: { c1: { status: 'Applied' } } };
      expect(await twinOf(client, 'before')).toEqual(applied);
      expect(await twinOf(client, 'after')).toEqual(applied);
      expect(await twinOf(client, 'other')).toEqual({ desired: {}, configurations: undefined });
      await tag(client, 'other', { site: 'x' });
      expect(await twinOf(client, 'other')).toEqual(applied);
      expect((await metricsOf(client, 'c1')).results).toEqual({ targetedCount: 3, appliedCount: 3 });
      expect(await countsByQuery(client, 'c1')).toEqual({ targetedCount: 3, appliedCount: 3 });
      await client.call('DELETE', '/devices/after', { headers: { 'If-Match': '*' } });
      expect((await metricsOf(client, 'c1')).results).toEqual({ targetedCount: 2, appliedCount: 2 });
    });
  });

  it('gives way to a higher priority, at the same to the newer, and takes its settings along', async () => {
    await withHub({}, async (client) => {
      await create(client, 'd1', { site: 'x' });
      await configure(client, 'low', { content: { deviceContent: { 'properties.desired.low': 1 } }, priority: 1 });
      const high = { content: forDevices(2), targetCondition: "tags.site = 'x'", priority: 2 };
      await configure(client, 'high', high);
      expect(await twinOf(client, 'd1')).toEqual({
        desired: { c: 2 },
        configurations: { high: { status: 'Applied' }, low: { status: 'Targeted' } },
      });
      expect((await metricsOf(client, 'low')).results).toEqual({ targetedCount: 1, appliedCount: 0 });
      await tag(client, 'd1', { site: null });
      const low = { desired: { low: 1 }, configurations: { low: { status: 'Applied' } } };
      expect(await twinOf(client, 'd1')).toEqual(low);
      await tag(client, 'd1', { site: 'x' });
      await configure(client, 'high', { ...high, priority: 0 }, '"*"');
      expect(await twinOf(client, 'd1')).toMatchObject({
        desired: { low: 1 },
        configurations: { high: { status: 'Targeted' } },
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await configure(client, 'newer', { content: forDevices(3), priority: 1 });
      expect((await twinOf(client, 'd1')).desired).toEqual({ c: 3 });
    });
  });

  it('leaves its settings behind when it is deleted, and another of its name is applied anew', async () => {
    await withHub({}, async (client) => {
      await create(client, 'd1');
      await configure(client, 'c1', { content: forDevices(1) });
      expect((await remove(client, 'c1')).status).toBe(204);
      expect(await twinOf(client, 'd1')).toEqual({ desired: { c: 1 }, configurations: undefined });
      await configure(client, 'c1', { content: forDevices(2) });
      expect((await twinOf(client, 'd1')).desired).toEqual({ c: 2 });
      await client.admin('POST', '/reset', { what: ['configurations'] });
      expect(await twinOf(client, 'd1')).toEqual({ desired: { c: 2 }, configurations: undefined });
    });
  });

  it('leaves alone what somebody writes over it, and targets nothing without a condition', async () => {
    await withHub({}, async (client) => {
      await create(client, 'd1');
      await configure(client, 'c1', { content: forDevices(1) });
      await client.call('PATCH', '/twins/d1', { body: { properties: { desired: { c: 5 } } } });
      await tag(client, 'd1', { a: 1 });
      expect((await twinOf(client, 'd1')).desired).toEqual({ c: 5 });
      await configure(client, 'none', { content: forDevices(9), targetCondition: '', priority: 9 });
      expect((await metricsOf(client, 'none')).results).toEqual({ targetedCount: 0, appliedCount: 0 });
      expect(await countsByQuery(client, 'none')).toEqual({ targetedCount: 0, appliedCount: 0 });
      expect(await countsByQuery(client, 'c1')).toEqual({ targetedCount: 1, appliedCount: 1 });
    });
  });

  it('is targeted and not applied where the twin cannot take it, and the write goes through', async () => {
    await withHub({}, async (client) => {
      await configure(client, 'c1', { content: forDevices({ bad$: 1 }) });
      await create(client, 'd1');
      expect(await twinOf(client, 'd1')).toEqual({ desired: {}, configurations: { c1: { status: 'Targeted' } } });
      expect((await metricsOf(client, 'c1')).results).toEqual({ targetedCount: 1, appliedCount: 0 });
    });
  });

  it('goes by the twins of modules when its content is for modules', async () => {
    await withHub({}, async (client) => {
      await create(client, 'e1', {}, true);
      const content = { moduleContent: { 'properties.desired.c': 1 } };
      await configure(client, 'c1', { content, targetCondition: "FROM devices.modules WHERE moduleId = 'm1'" });
      for (const moduleId of ['m1', 'm2']) {
        await client.call('PUT', `/devices/e1/modules/${moduleId}`, { body: { deviceId: 'e1', moduleId } });
      }
      expect(await twinOf(client, 'e1/modules/m1')).toEqual({
        desired: { c: 1 },
        configurations: { c1: { status: 'Applied' } },
      });
      expect(await twinOf(client, 'e1/modules/m2')).toEqual({ desired: {}, configurations: undefined });
      expect((await metricsOf(client, 'c1')).results).toEqual({ targetedCount: 1, appliedCount: 1 });
      expect(await countsByQuery(client, 'c1')).toEqual({ targetedCount: 1, appliedCount: 1 });
    });
  });

  it('is applied by a hub that starts on the folder of one that was killed before it could', async () => {
    const data = await mkdtemp(join(tmpdir(), 'hub-configurations-'));
    try {
      await withHub({ data }, async (client) => {
        for (let index = 0; index < 150; index += 1) await create(client, `d${index}`);
      });
      const database = new DatabaseSync(join(data, 'registry.sqlite'));
      const document = {
        schemaVersion: '1.0',
        labels: {},
        content: forDevices(1),
        targetCondition: '*',
        createdTimeUtc: '2026-01-01T00:00:00Z',
        lastUpdatedTimeUtc: '2026-01-01T00:00:00Z',
        priority: 1,
        metricQueries: {},
      };
      database.prepare("INSERT INTO configurations VALUES ('c1', 1, ?)").run(JSON.stringify(document));
      database.close();
      await withHub({ data }, async (client) => {
        await expect
          .poll(async () => (await metricsOf(client, 'c1')).results)
          .toEqual({ targetedCount: 150, appliedCount: 150 });
      });
    } finally {
      await rm(data, { recursive: true });
    }
  });
});

describe('a deployment', () => {
  const base = (image: string) => ({
    modulesContent: {
      $edgeAgent: { 'properties.desired': { modules: { m1: { image } } } },
      $edgeHub: { 'properties.desired': { routes: {} } },
      m1: { 'properties.desired': { image } },
    },
  });
  const layer = (value: number) => ({
    modulesContent: {
      $edgeAgent: { 'properties.desired.modules.m2': { value } },
      m2: { 'properties.desired': { value } },
    },
  });

  it('makes its modules on the edge devices that it targets, and is applied by the status of $edgeAgent', async () => {
    await withHub({}, async (client) => {
      await create(client, 'e1', { site: 'x' }, true);
      await create(client, 'leaf', { site: 'x' });
      await configure(client, 'dep', { content: base('a'), targetCondition: "tags.site = 'x' OR tags.site = 'z'" });
      await create(client, 'e2', { site: 'z' }, true);
      await create(client, 'e3', { site: 'y' }, true);
      const { results, queries } = await metricsOf(client, 'dep');
      expect(results).toEqual({
        targetedCount: 2,
        appliedCount: 2,
        reportedSuccessfulCount: 0,
        reportedFailedCount: 0,
      });
      const applied =
        "select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[dep]].status = 'Applied'";
      expect(queries).toEqual({
        targetedCount:
          "select deviceId from devices where capabilities.iotEdge = true and (tags.site = 'x' OR tags.site = 'z')",
        appliedCount: applied,
        reportedSuccessfulCount: expect.stringContaining(applied),
        reportedFailedCount: expect.stringContaining(applied),
      });
      expect(await countsByQuery(client, 'dep')).toEqual(results);
      for (const deviceId of ['e1', 'e2']) {
        const { body: module } = await client.call('GET', `/devices/${deviceId}/modules/m1`);
        expect(module).toMatchObject({ managedBy: 'iotEdge', authentication: { type: 'none' } });
        expect((await twinOf(client, `${deviceId}/modules/m1`)).desired).toEqual({ image: 'a' });
        expect(await twinOf(client, `${deviceId}/modules/%24edgeAgent`)).toEqual({
          desired: { modules: { m1: { image: 'a' } } },
          configurations: { dep: { status: 'Applied' } },
        });
        expect((await twinOf(client, deviceId)).configurations).toBeUndefined();
      }
      expect((await client.call('GET', '/devices/leaf/modules')).body).toEqual([]);
      expect((await client.call('GET', '/devices/e3/modules')).body).toHaveLength(2);
    });
  });

  it('lies below the layered ones of a higher priority, and leaves its modules when another takes over', async () => {
    await withHub({}, async (client) => {
      await create(client, 'e1', {}, true);
      await configure(client, 'under', { content: layer(0), priority: 4 });
      expect((await client.call('GET', '/devices/e1/modules')).body).toHaveLength(2);
      await configure(client, 'layer-9', { content: layer(9), priority: 9 });
      await configure(client, 'layer-7', { content: layer(7), priority: 7 });
      await configure(client, 'base', { content: base('a'), priority: 5 });
      expect(await twinOf(client, 'e1/modules/%24edgeAgent')).toEqual({
        desired: { modules: { m1: { image: 'a' }, m2: { value: 9 } } },
        configurations: {
          base: { status: 'Applied' },
          'layer-7': { status: 'Applied' },
          'layer-9': { status: 'Applied' },
          under: { status: 'Targeted' },
        },
      });
      expect((await twinOf(client, 'e1/modules/m2')).desired).toEqual({ value: 9 });
      await remove(client, 'layer-9');
      expect((await twinOf(client, 'e1/modules/m2')).desired).toEqual({ value: 7 });
      const content = { modulesContent: { $edgeAgent: { 'properties.desired': { modules: {} } } } };
      await configure(client, 'empty', { content, priority: 10 });
      expect((await twinOf(client, 'e1/modules/%24edgeAgent')).desired).toEqual({ modules: {} });
      const { body: modules } = await client.call('GET', '/devices/e1/modules');
      expect(modules.map(({ moduleId }: { moduleId: string }) => moduleId)).toEqual([
        '$edgeAgent',
        '$edgeHub',
        'm1',
        'm2',
      ]);
      await remove(client, 'empty');
      expect((await metricsOf(client, 'base')).results.appliedCount).toBe(1);
    });
  });

  it('is targeted and not applied where the device has no room for its modules', async () => {
    await withHub({ maxModulesPerDevice: 1 }, async (client) => {
      await create(client, 'e1', {}, true);
      await client.call('PUT', '/devices/e1/modules/own', { body: { deviceId: 'e1', moduleId: 'own' } });
      const made = await configure(client, 'dep', { content: base('a') });
      expect(made.systemMetrics.results).toMatchObject({ targetedCount: 1, appliedCount: 0 });
      expect((await twinOf(client, 'e1/modules/%24edgeAgent')).desired).toEqual({});
    });
  });
});
