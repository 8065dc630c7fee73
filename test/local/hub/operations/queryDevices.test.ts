import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningHub, startHub } from '../../../../local/hub/index.ts';
import { createClient, type HubClient } from '../hubClient.ts';

let hub: RunningHub;
let client: HubClient;

beforeAll(async () => {
  hub = await startHub();
  client = createClient(hub);
  const items = Array.from({ length: 250 }, (_, index) => ({
    id: `d${String(index).padStart(3, '0')}`,
    status: index % 5 === 0 ? 'disabled' : 'enabled',
    tags: { site: `s${index % 3}`, ...(index < 10 && { rank: index }) },
    properties: { desired: { interval: index } },
    capabilities: { iotEdge: index === 249 },
  }));
  for (let from = 0; from < items.length; from += 100) {
    expect((await client.call('POST', '/devices', { body: items.slice(from, from + 100) })).status).toBe(200);
  }
  for (const moduleId of ['m1', 'm2']) {
    const body = { deviceId: 'd001', moduleId };
    expect((await client.call('PUT', `/devices/d001/modules/${moduleId}`, { body })).status).toBe(200);
  }
});

afterAll(async () => {
  await hub.close();
});

async function query(text: string, headers: Record<string, string> = {}) {
  return client.call('POST', '/devices/query', { body: { query: text }, headers });
}

async function ids(text: string): Promise<string[]> {
  const { body } = await query(text);
  return body.map((item: { deviceId: string }) => item.deviceId);
}

describe('queries', () => {
  it('count all devices, or those of a condition', async () => {
    const all = await query('SELECT COUNT() AS n FROM devices');
    expect(all.body).toEqual([{ n: 250 }]);
    expect(all.headers.get('x-ms-item-type')).toBe('Raw');
    expect((await query("select count() as n from devices where status = 'disabled'")).body).toEqual([{ n: 50 }]);
    expect((await query("SELECT COUNT() AS n FROM devices WHERE tags.site = 'none'")).body).toEqual([{ n: 0 }]);
    expect((await query('SELECT COUNT() AS n FROM devices.modules')).body).toEqual([{ n: 4 }]);
  });

  it('go through all pages by continuation, each twin once', async () => {
    for (const size of ['7', '100', '1000', '-1', '']) {
      const seen: string[] = [];
      let continuation: string | null = '';
      let pages = 0;
      while (continuation !== null) {
        const answer = await query('SELECT * FROM devices', {
          'x-ms-max-item-count': size,
          ...(continuation !== '' && { 'x-ms-continuation': continuation }),
        });
        expect(answer.headers.get('x-ms-item-type')).toBe('Twin');
        seen.push(...answer.body.map((twin: { deviceId: string }) => twin.deviceId));
        continuation = answer.headers.get('x-ms-continuation');
        pages += 1;
      }
      expect(new Set(seen).size).toBe(250);
      expect(seen).toHaveLength(250);
      expect(pages).toBe(size === '7' ? 36 : 3);
    }
  });

  it('refuse a continuation of another query, and a page size that is none', async () => {
    const { headers } = await query('SELECT * FROM devices');
    const token = headers.get('x-ms-continuation') ?? '';
    expect((await query('SELECT deviceId FROM devices', { 'x-ms-continuation': token })).status).toBe(400);
    expect((await query('SELECT * FROM devices', { 'x-ms-continuation': 'x' })).status).toBe(400);
    expect((await query('SELECT * FROM devices', { 'x-ms-max-item-count': '0' })).status).toBe(400);
  });

  it('find twins by id, prefix, tag, property, capability', async () => {
    expect(await ids("SELECT * FROM devices WHERE deviceId = 'd007'")).toEqual(['d007']);
    expect(await ids("SELECT * FROM devices WHERE deviceId IN ['d007', 'd003', 'zz'] AND status = 'enabled'")).toEqual([
      'd003',
      'd007',
    ]);
    expect(await ids("SELECT * FROM devices WHERE STARTSWITH(deviceId, 'd24')")).toHaveLength(10);
    expect(await ids('SELECT * FROM devices WHERE IS_DEFINED(tags.rank) AND tags.rank >= 8')).toEqual(['d008', 'd009']);
    expect(await ids('SELECT * FROM devices WHERE properties.desired.interval = 42')).toEqual(['d042']);
    expect(await ids('SELECT * FROM devices WHERE capabilities.iotEdge = true')).toEqual(['d249']);
    expect(await ids('SELECT * FROM devices WHERE tags.rank != 3 AND tags.rank < 5')).toEqual([
      'd000',
      'd001',
      'd002',
      'd004',
    ]);
    expect(await ids('SELECT * FROM devices WHERE properties.desired.$version = 1')).toHaveLength(100);
  });

  it('find module twins', async () => {
    const { body, headers } = await query("SELECT * FROM devices.modules WHERE deviceId = 'd001'");
    expect(headers.get('x-ms-item-type')).toBe('Twin');
    expect(body.map((twin: { moduleId: string }) => twin.moduleId)).toEqual(['m1', 'm2']);
    expect(await ids("SELECT * FROM devices.modules WHERE moduleId = '$edgeHub'")).toEqual(['d249']);
  });

  it('take paths that begin with the source, and look into arrays', async () => {
    const { body } = await query("select * from devices.modules where devices.deviceId='d001'");
    expect(body.map((twin: { moduleId: string }) => twin.moduleId)).toEqual(['m1', 'm2']);
    expect(await ids("select * from devices.modules where devices.modules.moduleId = 'm2'")).toEqual(['d001']);
    expect((await query('SELECT devices.deviceId FROM devices WHERE devices.tags.rank = 3')).body).toEqual([
      { deviceId: 'd003' },
    ]);
    const { body: edge } = await client.call('GET', '/devices/d249');
    const leaf = { deviceId: 'd250', deviceScope: edge.deviceScope };
    expect((await client.call('PUT', '/devices/d250', { body: leaf })).status).toBe(200);
    const children = `select deviceId from devices where array_contains(parentScopes, '${edge.deviceScope}')`;
    expect((await query(children)).body).toEqual([{ deviceId: 'd250' }]);
    expect(await ids("SELECT * FROM devices WHERE ARRAY_CONTAINS(parentScopes, 'other')")).toEqual([]);
    expect(await ids("SELECT * FROM devices WHERE NOT ARRAY_CONTAINS(parentScopes, 'other')")).toEqual(['d250']);
    await client.call('DELETE', '/devices/d250', { headers: { 'If-Match': '*' } });
  });

  it('project, rename, limit and group', async () => {
    const { body } = await query('SELECT TOP 2 DEVICEID, tags.site AS site, tags.missing FROM devices');
    expect(body).toEqual([
      { deviceId: 'd000', site: 's0' },
      { deviceId: 'd001', site: 's1' },
    ]);
    const { body: first } = await query('SELECT TOP 3 deviceId FROM devices', { 'x-ms-max-item-count': '2' });
    expect(first).toHaveLength(2);
    const grouped = await query(
      'SELECT tags.site AS site, COUNT() AS n, MAX(tags.rank) AS top, AVG(tags.rank) AS mean FROM devices GROUP BY tags.site',
    );
    expect(grouped.body).toEqual([
      { site: 's0', n: 84, top: 9, mean: 4.5 },
      { site: 's1', n: 83, top: 7, mean: 4 },
      { site: 's2', n: 83, top: 8, mean: 5 },
    ]);
    const total = await query('SELECT SUM(tags.rank) AS s, MIN(tags.rank) AS m FROM devices');
    expect(total.body).toEqual([{ s: 45, m: 0 }]);
  });

  it('are refused with a bare BadRequest when they cannot be read', async () => {
    for (const text of [
      'SELECT',
      'SELECT * FROM devices.jobs',
      `SELECT * FROM devices WHERE deviceId = '${'x'.repeat(8192)}'`,
    ]) {
      const answer = await query(text);
      expect(answer.status).toBe(400);
    }
    expect((await query('SELECT')).body.Message).toContain('ErrorCode:ArgumentInvalid;BadRequest');
    expect((await client.call('POST', '/devices/query', { body: {} })).status).toBe(400);
  });
});
