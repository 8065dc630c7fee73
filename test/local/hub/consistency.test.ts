import { describe, expect, it } from 'vitest';
import { createConsistency } from '../../../local/hub/consistency.ts';
import { createDevice, removeDevice, replaceDevice } from '../../../local/hub/identity/identityRules.ts';
import { openDatabase } from '../../../local/hub/registry/database.ts';
import { createIdentityStore } from '../../../local/hub/registry/identityStore.ts';
import { eventually } from '../../helpers/eventually.ts';
import { withHub } from './hubClient.ts';

const input = {
  status: 'enabled',
  statusReason: null,
  authentication: undefined,
  iotEdge: false,
  deviceScope: undefined,
  parentScopes: [],
} as const;

describe('the query index', () => {
  it('shows each device as it was until the lag is over', () => {
    const clock = { nowMs: 1_000_000 };
    const database = openDatabase(undefined);
    const store = createIdentityStore(database);
    const lags = { readLagMs: 0, queryLagMs: 1000, statisticsLagMs: 0 };
    const consistency = createConsistency(store, lags, () => clock.nowMs);
    const settings = { maxDevices: 100, quotaMargin: 0, maxModulesPerDevice: 50 };
    const context = () => ({ store, settings, nowMs: clock.nowMs, caller: 'single' as const });
    const shown = () =>
      consistency
        .asIndexed('devices', store.page('devices', 0, 100), 0, Number.POSITIVE_INFINITY)
        .map(({ deviceId, status }) => `${deviceId} ${status}`);

    const a = createDevice(context(), { ...input, deviceId: 'a' }, {});
    createDevice(context(), { ...input, deviceId: 'b' }, {});
    expect(shown()).toEqual([]);
    expect(consistency.isBehind()).toBe(true);
    clock.nowMs += 1000;
    expect(shown()).toEqual(['a enabled', 'b enabled']);
    expect(consistency.isBehind()).toBe(false);

    const changed = replaceDevice(context(), a, { ...input, deviceId: 'a', status: 'disabled' });
    expect(shown()).toEqual(['a enabled', 'b enabled']);
    clock.nowMs += 500;
    removeDevice(context(), changed);
    clock.nowMs += 500;
    expect(shown()).toEqual(['a disabled', 'b enabled']);
    clock.nowMs += 500;
    expect(shown()).toEqual(['b enabled']);
    database.close();
  });

  it('lags behind in queries and counts over HTTP', async () => {
    await withHub({ queryLagMs: 300 }, async (client) => {
      await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
      const count = async () => {
        const { body } = await client.call('POST', '/devices/query', {
          body: { query: 'SELECT COUNT() AS n FROM devices' },
        });
        return body[0].n;
      };
      expect(await count()).toBe(0);
      const byId = { query: "SELECT * FROM devices WHERE deviceId = 'd1'" };
      expect((await client.call('POST', '/devices/query', { body: byId })).body).toEqual([]);
      await eventually(async () => ((await count()) === 1 ? true : undefined), 'the device in the index');
      await client.call('DELETE', '/devices/d1', { headers: { 'If-Match': '*' } });
      expect(await count()).toBe(1);
      expect((await client.call('POST', '/devices/query', { body: byId })).body).toHaveLength(1);
    });
  });
});

describe('a new identity', () => {
  it('may take a while to become readable', async () => {
    await withHub({ readLagMs: 300 }, async (client) => {
      expect((await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } })).status).toBe(200);
      expect((await client.call('GET', '/devices/d1')).status).toBe(404);
      expect((await client.call('GET', '/twins/d1')).status).toBe(404);
      expect((await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } })).status).toBe(409);
      await eventually(async () => {
        const { status } = await client.call('GET', '/devices/d1');
        return status === 200 ? true : undefined;
      }, 'the device');
    });
  });
});

describe('statistics', () => {
  it('may be old', async () => {
    await withHub({ statisticsLagMs: 60_000 }, async (client) => {
      const total = async () => (await client.call('GET', '/statistics/devices')).body.totalDeviceCount;
      expect(await total()).toBe(0);
      await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
      expect(await total()).toBe(0);
      await client.admin('PATCH', '/options', { statisticsLagMs: 0 });
      expect(await total()).toBe(1);
    });
  });
});
