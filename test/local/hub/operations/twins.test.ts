import { describe, expect, it } from 'vitest';
import { type HubClient, withHub } from '../hubClient.ts';

async function withDevice(use: (client: HubClient) => Promise<void>): Promise<void> {
  await withHub({}, async (client) => {
    await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
    await use(client);
  });
}

const patch = (client: HubClient, body: object, headers = {}) => client.call('PATCH', '/twins/d1', { body, headers });

/** An object nested to the depth given: 1 is flat. */
const nested = (depth: number): object => (depth === 1 ? { leaf: 1 } : { level: nested(depth - 1) });

describe('a twin', () => {
  it('is born with its device and shows everything that clients read', async () => {
    await withDevice(async (client) => {
      const { body, headers } = await client.call('GET', '/twins/d1');
      const { body: device } = await client.call('GET', '/devices/d1');
      expect(body).toMatchObject({
        deviceId: 'd1',
        etag: 'AAAAAAAAAAE=',
        deviceEtag: device.etag,
        version: 2,
        status: 'enabled',
        statusReason: null,
        connectionState: 'Disconnected',
        cloudToDeviceMessageCount: 0,
        authenticationType: 'sas',
        x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
        capabilities: { iotEdge: false },
        tags: {},
        properties: {
          desired: { $version: 1, $metadata: { $lastUpdated: expect.any(String) } },
          reported: { $version: 1, $metadata: { $lastUpdated: expect.any(String) } },
        },
      });
      expect(headers.get('etag')).toBe('"AAAAAAAAAAE="');
    });
  });

  it('merges a patch, deletes by null, and keeps metadata of what it does not touch', async () => {
    await withDevice(async (client) => {
      await patch(client, { tags: { a: { b: 1, c: 2 }, d: 'x' }, properties: { desired: { t: 20, o: { p: 1 } } } });
      const { body } = await patch(client, { tags: { a: { b: null }, e: [1, 2] }, properties: { desired: { t: 21 } } });
      expect(body.tags).toEqual({ a: { c: 2 }, d: 'x', e: [1, 2] });
      const { $metadata, $version, ...desired } = body.properties.desired;
      expect(desired).toEqual({ t: 21, o: { p: 1 } });
      expect($version).toBe(3);
      expect($metadata.$lastUpdatedVersion).toBe(3);
      expect($metadata.t.$lastUpdatedVersion).toBe(3);
      expect($metadata.o.p.$lastUpdatedVersion).toBe(2);
      expect(body.version).toBe(4);
      expect(body.etag).toBe('AAAAAAAAAAM=');
    });
  });

  it('takes any key that is not forbidden, `__proto__` too', async () => {
    await withDevice(async (client) => {
      const tags = JSON.parse('{"__proto__":{"a":1},"constructor":"x"}');
      await patch(client, { tags });
      await patch(client, { tags: JSON.parse('{"__proto__":{"b":2}}') });
      const { body } = await client.call('GET', '/twins/d1');
      expect(JSON.stringify(body.tags)).toBe('{"__proto__":{"a":1,"b":2},"constructor":"x"}');
    });
  });

  it('is replaced by PUT: what the body lacks is gone', async () => {
    await withDevice(async (client) => {
      await patch(client, { tags: { a: 1 }, properties: { desired: { t: 20 } } });
      const { body } = await client.call('PUT', '/twins/d1', { body: { properties: { desired: { u: 1 } } } });
      expect(body.tags).toEqual({});
      const { $metadata, $version, ...desired } = body.properties.desired;
      expect(desired).toEqual({ u: 1 });
    });
  });

  it('conflicts with a stale etag only', async () => {
    await withDevice(async (client) => {
      const { body } = await client.call('GET', '/twins/d1');
      expect((await patch(client, { tags: { a: 1 } }, { 'If-Match': `"${body.etag}"` })).status).toBe(200);
      expect((await patch(client, { tags: { a: 2 } }, { 'If-Match': `"${body.etag}"` })).status).toBe(412);
      expect((await patch(client, { tags: { a: 3 } }, { 'If-Match': '"*"' })).status).toBe(200);
      const { body: identity } = await client.call('GET', '/devices/d1');
      expect(identity.etag).toBe(body.deviceEtag);
    });
  });

  it('keeps within its limits', async () => {
    const text = 'x'.repeat(4096);
    const cases: readonly (readonly [name: string, status: number, body: object])[] = [
      ['tags of 8 KB', 200, { tags: { k: text, l: 'x'.repeat(4094) } }],
      ['tags over 8 KB', 400, { tags: { k: text, l: 'x'.repeat(4095) } }],
      [
        'desired properties over 32 KB',
        400,
        { properties: { desired: Object.fromEntries([...'abcdefgh'].map((k) => [k, text])) } },
      ],
      ['a string over 4 KB', 400, { tags: { k: `${text}x` } }],
      ['ten levels', 200, { tags: nested(11) }],
      ['eleven levels', 400, { tags: nested(12) }],
      ['a key with a dot', 400, { tags: { 'a.b': 1 } }],
      ['a key with a dollar', 400, { tags: { $a: 1 } }],
      ['a key with a space', 400, { tags: { 'a b': 1 } }],
      ['a key with a control character', 400, { tags: { 'a\u0001': 1 } }],
      ['the largest integer', 200, { tags: { k: 4503599627370495 } }],
      ['an integer beyond', 400, { tags: { k: 4503599627370496 } }],
      ['tags that are no object', 400, { tags: [1] }],
    ];
    for (const [name, status, body] of cases) {
      await withDevice(async (client) => {
        expect([name, (await patch(client, body)).status]).toEqual([name, status]);
      });
    }
  });
});
