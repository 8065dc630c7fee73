import { describe, expect, it } from 'vitest';
import { type HubClient, withHub } from './hubClient.ts';

const put = (client: HubClient, deviceId: string) => client.call('PUT', `/devices/${deviceId}`, { body: { deviceId } });

async function addFault(client: HubClient, fault: object): Promise<number> {
  const { status, body } = await client.admin('POST', '/faults', fault);
  expect([status, body.error]).toEqual([201, undefined]);
  return body[0].id;
}

describe('faults of operations', () => {
  it('refuse before or after the change is applied', async () => {
    await withHub({}, async (client) => {
      await addFault(client, { operation: 'putDevice', status: 503, count: 1 });
      const before = await put(client, 'd1');
      expect([before.status, before.headers.get('iothub-errorcode')]).toEqual([503, 'ServiceUnavailable']);
      expect((await client.call('GET', '/devices/d1')).status).toBe(404);
      await addFault(client, { operation: 'putDevice', code: 429001, when: 'after', count: 1 });
      const after = await put(client, 'd1');
      expect(after.status).toBe(429);
      expect(after.body.Message).toMatch(/^ErrorCode:ThrottlingException;The request has been throttled/);
      expect((await client.call('GET', '/devices/d1')).status).toBe(200);
      expect((await put(client, 'd2')).status).toBe(200);
    });
  });

  it('lose replies', async () => {
    await withHub({}, async (client) => {
      await addFault(client, { operation: '*', drop: true, when: 'after', count: 1 });
      await expect(put(client, 'd1')).rejects.toThrow();
      expect((await put(client, 'd1')).status).toBe(409);
      const { body } = await client.admin('GET', '/state');
      expect(body.activity.operations.putDevice).toEqual({ dropped: 1, 409: 1 });
    });
  });

  it('delay replies, and so does the option', async () => {
    await withHub({}, async (client) => {
      await addFault(client, { operation: 'listDevices', delayMs: 120, count: 1 });
      const started = performance.now();
      expect((await client.call('GET', '/devices')).status).toBe(200);
      expect(performance.now() - started).toBeGreaterThan(110);
      await client.admin('PATCH', '/options', { replyDelayMs: 150 });
      const again = performance.now();
      await client.call('GET', '/devices');
      expect(performance.now() - again).toBeGreaterThan(140);
    });
  });

  it('can be bound to devices, skip, come by rate, and repeat by seed', async () => {
    const statuses = async (seed: number) => {
      const seen: number[] = [];
      await withHub({ seed }, async (client) => {
        await addFault(client, { operation: 'putDevice', status: 500, rate: 0.5 });
        for (let index = 0; index < 20; index += 1) seen.push((await put(client, `d${index}`)).status);
      });
      return seen;
    };
    const first = await statuses(7);
    expect(await statuses(7)).toEqual(first);
    expect(await statuses(8)).not.toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 500]));
    await withHub({}, async (client) => {
      await addFault(client, { operation: 'getDevice', status: 500, ids: ['a', 'b'], skip: 1, transient: 1 });
      const seen: number[] = [];
      for (const id of ['a', 'c', 'b', 'b', 'a', 'a']) seen.push((await client.call('GET', `/devices/${id}`)).status);
      expect(seen).toEqual([404, 404, 500, 404, 500, 404]);
    });
  });

  it('are listed with how often they fired, removed one by one or all, and checked', async () => {
    await withHub({}, async (client) => {
      const id = await addFault(client, { operation: 'getDevice', status: 500 });
      await addFault(client, { operation: 'getTwin', status: 500 });
      await client.call('GET', '/devices/d1');
      const { body: list } = await client.admin('GET', '/faults');
      expect(list.map(({ fired }: { fired: number }) => fired)).toEqual([1, 0]);
      expect((await client.admin('DELETE', `/faults/${id}`)).body).toHaveLength(1);
      expect((await client.call('GET', '/devices/d1')).status).toBe(404);
      expect((await client.admin('DELETE', '/faults')).body).toEqual([]);
      expect((await client.call('GET', '/twins/d1')).status).toBe(404);
      const wrong: readonly (readonly [text: RegExp, fault: unknown])[] = [
        [/Unknown key 'operatoin'/, { operatoin: 'x' }],
        [/Unknown operation 'x'; known: \*, importLine/, { operation: 'x', status: 500 }],
        [/Unknown error code 429999/, { operation: 'getDevice', code: 429999 }],
        [/The value of 'rate'/, { operation: 'getDevice', status: 500, rate: 2 }],
        [/needs 'status', 'code', 'drop' or 'delayMs'/, { operation: 'getDevice' }],
        [/needs 'outcome'/, { operation: 'importJob' }],
        [/needs 'code'/, { operation: 'importLine' }],
        [/JSON object/, 5],
      ];
      for (const [text, fault] of wrong) {
        const answer = await client.admin('POST', '/faults', fault);
        expect([answer.status, answer.body.error]).toEqual([400, expect.stringMatching(text)]);
      }
    });
  });
});

describe('faults of bulk items', () => {
  it('fail single items, and register devices without their twin', async () => {
    await withHub({}, async (client) => {
      await addFault(client, { operation: 'bulkItem', code: 'ThrottlingException', ids: ['d1'], transient: 1 });
      await addFault(client, { operation: 'bulkItem', withoutTwin: true, ids: ['d2'], count: 1 });
      const body = ['d1', 'd2', 'd3'].map((id) => ({ id, status: 'enabled', tags: { a: 1 } }));
      const answer = await client.call('POST', '/devices', { body });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual([
        expect.objectContaining({ deviceId: 'd1', errorCode: 'ThrottlingException' }),
      ]);
      expect(answer.body.warnings).toEqual([
        expect.objectContaining({ deviceId: 'd2', warningCode: 'DeviceRegisteredWithoutTwin' }),
      ]);
      expect((await client.call('GET', '/twins/d2')).body.tags).toEqual({});
      expect((await client.call('POST', '/devices', { body })).body.isSuccessful).toBe(true);
    });
  });
});

describe('the admin server', () => {
  it('changes options while the hub runs, and names what it does not know', async () => {
    await withHub({}, async (client) => {
      const { body } = await client.admin('PATCH', '/options', { jobEnqueueMs: 5, maxDevices: 1, jobEcho: true });
      expect(body).toMatchObject({ jobEnqueueMs: 5, maxDevices: 1, jobEcho: true, tier: 'none' });
      expect((await put(client, 'd1')).status).toBe(200);
      expect((await put(client, 'd2')).headers.get('iothub-errorcode')).toBe('IotHubQuotaExceeded');
      await client.admin('PATCH', '/options', { maxDevices: null });
      expect((await put(client, 'd2')).status).toBe(200);
      const wrong = [{ jobs: 1 }, { units: null }, { tier: 'F1' }, { units: 0 }, { jobEcho: 'yes' }, { pageMax: 1.5 }];
      for (const change of wrong) {
        const answer = await client.admin('PATCH', '/options', change);
        expect([answer.status, answer.body.error]).toEqual([
          400,
          expect.stringContaining(Object.keys(change)[0] ?? ''),
        ]);
      }
      expect((await client.admin('GET', '/nothing')).status).toBe(404);
    });
  });

  it('resets everything, or what it is told', async () => {
    await withHub({}, async (client) => {
      await put(client, 'd1');
      await addFault(client, { operation: 'getTwin', status: 500 });
      await client.admin('POST', '/jobs', { durationMs: 60_000 });
      await client.admin('POST', '/reset', { what: ['registry'] });
      expect((await client.admin('GET', '/state')).body).toMatchObject({ devices: 0, jobs: { foreignCreated: 1 } });
      expect((await client.admin('GET', '/faults')).body).toHaveLength(1);
      await client.admin('POST', '/reset');
      expect((await client.admin('GET', '/state')).body.jobs.list).toEqual([]);
      expect((await client.admin('GET', '/faults')).body).toEqual([]);
      expect((await client.admin('POST', '/reset', { what: ['all'] })).status).toBe(400);
    });
  });
});
