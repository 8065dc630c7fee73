import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import {
  createRegistryClient,
  type Device,
  HubError,
  parseHubConnection,
  type RegistryClient,
} from '../../../src/lib/registry/index.ts';
import { retryAfterMs } from '../../../src/lib/registry/retry.ts';
import { hangUp, hubFailure, type Step, silence, TEST_KEY, withScriptedHub } from './scriptedHub.ts';

const DEVICE = { deviceId: 'd1', etag: 'MQ==', status: 'enabled', authentication: { type: 'sas' } };
const busy: Step = { status: 503 };
const throttled: Step = hubFailure(429, 'ThrottlingBacklogTimeout', 'The request has been throttled.');

async function failureOf(call: Promise<unknown>): Promise<HubError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof HubError) {
      return error;
    }
    throw error;
  }
  throw new Error('The call did not fail.');
}

describe('whoever watches', () => {
  it('is told of calls without ids, keys and queries, and of each 429', async () => {
    await withScriptedHub([throttled, { body: DEVICE }], async ({ connectionString, hostName }) => {
      const told: unknown[] = [];
      const client = createRegistryClient(parseHubConnection(connectionString), {
        retryDelayMs: 1,
        observer: {
          call: (call, work) => {
            told.push(call);
            return work((status) => told.push(status));
          },
          throttled: () => told.push('throttled'),
        },
      });
      await client.getDevice('my-device');
      expect(told).toEqual([{ method: 'GET', template: '/devices/{id}', hostName }, 'throttled', 200]);
    });
  });
});

describe('a request', () => {
  it('carries API version, authorization for host and port, and who asks', async () => {
    await withScriptedHub([{ body: DEVICE }], async ({ client, only, hostName }) => {
      await client.getDevice('d1');
      const { method, path, query, headers } = only();
      expect([method, path, query.get('api-version')]).toEqual(['GET', '/devices/d1', '2021-04-12']);
      expect(headers.authorization).toContain(`SharedAccessSignature sr=${encodeURIComponent(hostName)}&sig=`);
      expect(headers['user-agent']).toMatch(/^hubkeeper\/\d+\.\d+\.\d+ /);
      expect(headers['x-ms-client-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    });
  });

  it('names the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    await withScriptedHub([{ body: DEVICE }], async ({ client, only }) => {
      await client.getDevice('d1');
      expect(only().headers['user-agent']).toMatch(new RegExp(`^hubkeeper/${version.replaceAll('.', '\\.')} `));
    });
  });

  it('encodes every character that an id may have', async () => {
    const id = "a:b/c#d?e%f+g@h=i;j$k'l!m(n)o,p*q_r.s-t";
    await withScriptedHub([{ body: { ...DEVICE, deviceId: id } }], async ({ client, only }) => {
      expect((await client.getDevice(id))?.deviceId).toBe(id);
      expect(decodeURIComponent(only().path)).toBe(`/devices/${id}`);
      expect(only().path.split('/')).toHaveLength(3);
    });
  });

  it.each(['', '.', '..'])('is not sent for the id %j, which would change the URL', async (id) => {
    await withScriptedHub([], async ({ client }) => {
      await expect(client.getDevice(id)).rejects.toMatchObject({ code: 'idNotAddressable' });
      await expect(client.deleteDevice({ deviceId: id })).rejects.toMatchObject({ code: 'idNotAddressable' });
    });
  });

  it('goes over HTTPS when the connection string does not name an emulator', async () => {
    // A listener that shows how the client opens: with a TLS handshake record (22), not with "GET".
    const opened = new Promise<number>((resolve, reject) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', (data) => {
          resolve(data[0] ?? -1);
          socket.destroy();
          server.close();
        });
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        const text = `HostName=127.0.0.1:${port};SharedAccessKeyName=p;SharedAccessKey=${TEST_KEY}`;
        const client = createRegistryClient(parseHubConnection(text), { maxRetries: 0 });
        client.getDevice('d1').then(reject, () => undefined);
      });
    });
    expect(await opened).toBe(22);
  });

  it('needs a key or an identity', () => {
    expect(() => createRegistryClient(parseHubConnection('myhub.azure-devices.net'))).toThrow(
      /neither a key nor an identity/,
    );
  });

  it('asks the identity for a token of the IoT Hub scope, and says so when it gives none', async () => {
    const scopes: unknown[] = [];
    const connection = parseHubConnection('myhub.invalid', () => ({
      getToken(scope) {
        scopes.push(scope);
        return Promise.reject(new Error(`no luck, code=abc sig=${encodeURIComponent(TEST_KEY)}`));
      },
    }));
    const error = await failureOf(createRegistryClient(connection).getDevice('d1'));
    expect(scopes.flat()).toEqual(['https://iothubs.azure.net/.default']);
    expect(error).toMatchObject({ code: 'CredentialFailed', kind: 'unauthorized', retryable: false });
    expect(error.message).toContain('No Microsoft Entra token for the hub myhub.invalid');
    expect(error.message).not.toContain(TEST_KEY.slice(0, 10));
  });
});

describe('an error', () => {
  const calls: readonly [status: number, name: string, expected: Partial<HubError>][] = [
    [400, 'ArgumentInvalid', { kind: 'badRequest', errorNumber: 400004, retryable: false }],
    [401, 'IotHubUnauthorizedAccess', { kind: 'unauthorized', errorNumber: 401002, retryable: false }],
    [403, 'IotHubQuotaExceeded', { kind: 'quota', errorNumber: 403002, retryable: false }],
    [403, 'JobQuotaExceeded', { kind: 'busyJob', errorNumber: 403003, retryable: true }],
    [403, 'OperationNotAvailableInCurrentTier', { kind: 'forbidden', errorNumber: 403010, retryable: false }],
    [404, 'DeviceNotFound', { kind: 'notFound', errorNumber: 404001, retryable: false }],
    [409, 'DeviceAlreadyExists', { kind: 'conflict', errorNumber: 409001, retryable: false }],
    [412, 'PreconditionFailed', { kind: 'preconditionFailed', errorNumber: 412001, retryable: false }],
    [413, 'TooManyDevices', { kind: 'badRequest', errorNumber: 413002, retryable: false }],
    [429, 'ThrottlingException', { kind: 'throttled', errorNumber: 429001, retryable: true }],
    [500, 'ServerError', { kind: 'server', errorNumber: 500001, retryable: true, outcomeUnknown: true }],
    [503, 'ServerBusy', { kind: 'server', errorNumber: 503005, retryable: true, outcomeUnknown: false }],
  ];
  it.each(calls)('of status %i and name %s says what the caller can do', async (status, name, expected) => {
    await withScriptedHub(
      [hubFailure(status, name, 'A device with ID d1 is what it is.')],
      async ({ client }) => {
        const error = await failureOf(client.createDevice({ deviceId: 'd1' }));
        expect(error).toBeInstanceOf(Error);
        expect(error).toMatchObject({ outcomeUnknown: false, ...expected, code: name, status, name: 'HubError' });
        expect(error.trackingId).toBe('0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:10');
        expect(error.message).toContain('Cannot create the device "d1": ');
        expect(error.message).toContain('A device with ID d1 is what it is.');
        expect(error.message).toContain(error.trackingId);
        expect(error.action).toMatch(/\.$/);
      },
      { maxRetries: 0 },
    );
  });

  it.each([
    [
      'the form of module identities',
      { errorCode: 409301, message: 'A module exists.', trackingId: 'ab12-G:3', timestampUtc: '2026-11-20T10:11:12Z' },
      { code: 'ModuleAlreadyExistsOnDevice', errorNumber: 409301, trackingId: 'ab12-G:3' },
    ],
    [
      'JSON within the message',
      {
        Message: JSON.stringify({
          errorCode: 404103,
          message: 'Timed out waiting.',
          trackingId: 'cd34-G:7',
          info: null,
        }),
        ExceptionMessage: '',
      },
      { code: 'DeviceNotOnline', errorNumber: 404103, trackingId: 'cd34-G:7' },
    ],
    [
      'a name in the message only',
      { Message: 'ErrorCode:SomethingNew;Text.', ExceptionMessage: 'Tracking ID:ef56-G:1-TimeStamp:1' },
      { code: 'SomethingNew', trackingId: 'ef56-G:1' },
    ],
    [
      'a name without its prefix',
      { Message: 'ArgumentInvalid;BadRequest' },
      { code: 'ArgumentInvalid', errorNumber: 400004 },
    ],
    ['lower-case fields', { message: 'ErrorCode:DeviceNotFound;x' }, { code: 'DeviceNotFound', errorNumber: 404001 }],
    ['a number that is not known', { errorCode: 499123, message: 'x' }, { code: 'Error499123', errorNumber: 499123 }],
    ['HTML of a proxy', '<html>Bad Gateway</html>', { code: 'Http418' }],
    ['an empty body', undefined, { code: 'Http418' }],
    ['a message that only looks like a code', { Message: 'Sorry; no.' }, { code: 'Http418' }],
  ])('is read from %s', async (_, body, expected) => {
    await withScriptedHub([{ status: 418, body }], async ({ client }) => {
      expect(await failureOf(client.createDevice({ deviceId: 'd1' }))).toMatchObject({ ...expected, status: 418 });
    });
  });

  it('takes the name from the header when the body has only a number', async () => {
    const reply = {
      status: 409,
      headers: { 'iothub-errorcode': 'ModuleAlreadyExistsOnDevice' },
      body: { errorCode: 409301 },
    };
    await withScriptedHub([reply], async ({ client }) => {
      const error = await failureOf(client.createModule({ deviceId: 'd', moduleId: 'm' }));
      expect(error).toMatchObject({ code: 'ModuleAlreadyExistsOnDevice', errorNumber: 409301 });
    });
  });

  it('quotes no line that the hub quotes', async () => {
    const line = `{"id":"d1","authentication":{"symmetricKey":{"primaryKey":"${TEST_KEY}"}}}`;
    const text = `Invalid device format in line: ${line}. Path 'authentication.type', line 1, position 9.`;
    await withScriptedHub([hubFailure(400, 'DeserializationError', text)], async ({ client }) => {
      const error = await failureOf(client.createDevice({ deviceId: 'd1' }));
      expect(error.message).toContain('Field: authentication.type.');
      expect(error.message).not.toContain('"id"');
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(TEST_KEY.slice(0, 10));
    });
  });

  it('redacts and cuts what it quotes of the hub', async () => {
    const text = `${'Unauthorized to write. '.repeat(40)}sig=${encodeURIComponent(TEST_KEY)}`;
    const short = `Cannot use https://x.test/c?sig=${encodeURIComponent(TEST_KEY)}&sp=r now`;
    await withScriptedHub(
      [hubFailure(400, 'BlobContainerValidationError', text), hubFailure(400, 'BlobContainerValidationError', short)],
      async ({ client }) => {
        const job = { outputBlobContainerUri: `https://x.test/c?sig=${encodeURIComponent(TEST_KEY)}` };
        const cut = await failureOf(client.createExportJob(job));
        expect(/The hub says: "(.*)"/.exec(cut.message)?.[1]).toHaveLength(300);
        const redacted = await failureOf(client.createExportJob(job));
        expect(redacted.message).toContain('https://x.test/c?sig=[redacted]&sp=r now');
        for (const error of [cut, redacted]) {
          expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(TEST_KEY.slice(0, 10));
        }
      },
    );
  });

  it('takes a 404 for an absent device only when the hub says so by name', async () => {
    await withScriptedHub(
      [
        hubFailure(404, 'DeviceNotFound', 'x'),
        { status: 404, body: '<html>Not Found</html>' },
        hubFailure(404, 'IotHubNotFound', 'x'),
      ],
      async ({ client }) => {
        expect(await client.getDevice('d1')).toBeUndefined();
        expect(await failureOf(client.getDevice('d1'))).toMatchObject({ code: 'Http404', kind: 'notFound' });
        expect(await failureOf(client.getDevice('d1'))).toMatchObject({ code: 'IotHubNotFound' });
      },
    );
  });

  it.each([
    ['HTML', '<html>Sign in</html>'],
    ['another object', { hello: 'world' }],
    ['nothing', undefined],
  ])('is given for a success with %s in its body', async (_, body) => {
    await withScriptedHub([{ status: 200, body }], async ({ client, hostName }) => {
      const error = await failureOf(client.getDevice('d1'));
      expect(error).toMatchObject({ code: 'InvalidReply', retryable: false });
      expect(error.message).toContain(hostName);
    });
  });

  it('does not follow a redirect with its key', async () => {
    const reply = { status: 302, headers: { location: 'http://127.0.0.1:1/' } };
    await withScriptedHub([reply], async ({ client }) => {
      expect(await failureOf(client.getDevice('d1'))).toMatchObject({ code: 'Http302', retryable: false });
    });
  });

  it('names host and cause when nothing listens', async () => {
    let host = '';
    await withScriptedHub([], async ({ hostName }) => {
      host = hostName;
    });
    const text = `HostName=${host};SharedAccessKeyName=p;SharedAccessKey=${TEST_KEY};UseDevelopmentEmulator=true`;
    const client = createRegistryClient(parseHubConnection(text), { retryDelayMs: 1 });
    const error = await failureOf(client.createDevice({ deviceId: 'd1' }));
    expect(error).toMatchObject({ code: 'NetworkError', kind: 'network', retryable: true, outcomeUnknown: false });
    expect(error.message).toContain(`cannot reach hub ${host}: connection refused`);
  });

  it('names a host that does not exist', async () => {
    const text = `HostName=nowhere.invalid;SharedAccessKeyName=p;SharedAccessKey=${TEST_KEY}`;
    const client = createRegistryClient(parseHubConnection(text), { maxRetries: 0 });
    const error = await failureOf(client.getDevice('d1'));
    expect(error).toMatchObject({ kind: 'network', outcomeUnknown: false });
    expect(error.message).toMatch(/cannot reach hub nowhere\.invalid: (there is no host|the name server)/);
  });

  it('says that a write may have been done when the connection was cut', async () => {
    await withScriptedHub([hangUp], async ({ client }) => {
      const error = await failureOf(client.bulk([{ id: 'd1' }]));
      expect(error).toMatchObject({ kind: 'network', retryable: true, outcomeUnknown: true });
      expect(error.message).toContain('the connection was cut');
    });
  });

  it('is a network error when the reply breaks off', async () => {
    const brokenOff: Step = (response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('{"deviceId":');
      setImmediate(() => response.destroy());
    };
    await withScriptedHub([brokenOff], async ({ client }) => {
      expect(await failureOf(client.createDevice({ deviceId: 'd1' }))).toMatchObject({
        kind: 'network',
        outcomeUnknown: true,
      });
    });
  });

  it('carries the pause that the hub asked for', async () => {
    const reply = { ...hubFailure(429, 'ThrottlingException', 'x'), headers: { 'Retry-After': '77' } };
    await withScriptedHub([reply], async ({ client }) => {
      expect(await failureOf(client.getDevice('d1'))).toMatchObject({ kind: 'throttled', retryAfterMs: 77_000 });
    });
  });
});

describe('retries', () => {
  const replace = (client: RegistryClient) => client.updateDevice({ deviceId: 'd1' });
  const create = (client: RegistryClient) => client.createDevice({ deviceId: 'd1' });
  const compare = (client: RegistryClient) =>
    client.updateDevice({ deviceId: 'd1', etag: 'MQ==' }, { onlyIfUnchanged: true });
  const read = (client: RegistryClient) => client.getDevice('d1');

  it.each<[string, (client: RegistryClient) => Promise<Device | undefined>, Step]>([
    ['a read after a cut connection', read, hangUp],
    ['a read after a 500', read, { status: 500 }],
    ['a read after a 429', read, throttled],
    ['a forced update after a cut connection', replace, hangUp],
    ['a forced update after a 502', replace, { status: 502 }],
    ['a create after a 429', create, throttled],
    ['a create after a 503', create, busy],
    ['a conditional update after a 503', compare, busy],
  ])('repeat %s', async (_, call, failure) => {
    await withScriptedHub([failure, { body: DEVICE }], async ({ client, requests }) => {
      expect((await call(client))?.deviceId).toBe('d1');
      expect(requests[1]).toMatchObject({
        method: requests[0]?.method,
        path: requests[0]?.path,
        body: requests[0]?.body,
      });
    });
  });

  it.each<[string, (client: RegistryClient) => Promise<unknown>, Step]>([
    ['a create after a cut connection', create, hangUp],
    ['a create after a 500', create, { status: 500 }],
    ['a conditional update after a cut connection', compare, hangUp],
    ['a delete after a cut connection', (client) => client.deleteDevice({ deviceId: 'd1' }), hangUp],
    ['a bulk request after a cut connection', (client) => client.bulk([{ id: 'd1' }]), hangUp],
    ['a bulk request after a 500', (client) => client.bulk([{ id: 'd1' }]), { status: 500 }],
    ['a bulk request after a 504', (client) => client.bulk([{ id: 'd1' }]), { status: 504 }],
    [
      'a job create after a cut connection',
      (client) => client.createExportJob({ outputBlobContainerUri: 'x' }),
      hangUp,
    ],
    ['a job create after a 503', (client) => client.createExportJob({ outputBlobContainerUri: 'x' }), busy],
    ['a job create after a 429', (client) => client.createExportJob({ outputBlobContainerUri: 'x' }), throttled],
    ['a refused read', read, hubFailure(400, 'ArgumentInvalid', 'x')],
    ['a read that is not authorized', read, hubFailure(401, 'IotHubUnauthorizedAccess', 'x')],
  ])('do not repeat %s', async (_, call, failure) => {
    await withScriptedHub([failure], async ({ client, requests }) => {
      await failureOf(call(client));
      expect(requests).toHaveLength(1);
    });
  });

  it('repeat a bulk request after 429 and 503, with the same items', async () => {
    await withScriptedHub(
      [throttled, busy, { body: { isSuccessful: true, errors: [], warnings: [] } }],
      async ({ client, requests }) => {
        expect((await client.bulk([{ id: 'd1' }])).isSuccessful).toBe(true);
        expect(requests.map(({ body }) => body)).toEqual([[{ id: 'd1' }], [{ id: 'd1' }], [{ id: 'd1' }]]);
      },
    );
  });

  it('end after two, with the last error', async () => {
    await withScriptedHub([busy, throttled, throttled], async ({ client }) => {
      expect(await failureOf(client.getDevice('d1'))).toMatchObject({ kind: 'throttled' });
    });
  });

  it('wait as long as the hub asks, when that is short', async () => {
    const reply: Step = { status: 429, headers: { 'x-ms-retry-after-ms': '40' } };
    await withScriptedHub([reply, { body: DEVICE }], async ({ client }) => {
      const start = performance.now();
      await client.getDevice('d1');
      expect(performance.now() - start).toBeGreaterThanOrEqual(35);
    });
  });

  it.each([
    [{ 'Retry-After': '3' }, 3000],
    [{ 'Retry-After': 'Fri, 20 Nov 2026 10:00:05 GMT' }, 5000],
    [{ 'Retry-After': 'Fri, 20 Nov 2026 09:00:00 GMT' }, 0],
    [{ 'retry-after-ms': '250', 'Retry-After': '9' }, 250],
    [{ 'Retry-After': 'soon' }, undefined],
    [{}, undefined],
  ] as [Record<string, string>, number | undefined][])('read %j as %s ms', (headers, expected) => {
    expect(retryAfterMs((name) => headers[name], Date.parse('2026-11-20T10:00:00Z'))).toBe(expected);
  });
});

describe('time', () => {
  it('runs out for a hub that never answers, for the whole call', async () => {
    await withScriptedHub([silence], async ({ client }) => {
      const error = await failureOf(client.createDevice({ deviceId: 'd1' }, { timeoutMs: 400 }));
      expect(error).toMatchObject({ code: 'Timeout', kind: 'timeout', retryable: true, outcomeUnknown: true });
      expect(error.message).toContain('gave no answer within 0.4 s');
    });
  });

  it('runs out for a reply whose body never ends', async () => {
    const endless: Step = (response) => {
      response.writeHead(200);
      response.write('[');
    };
    await withScriptedHub([endless], async ({ client }) => {
      expect(await failureOf(client.listDevices({ timeoutMs: 400 }))).toMatchObject({
        kind: 'timeout',
        outcomeUnknown: false,
      });
    });
  });
});

describe('an AbortSignal', () => {
  it('that outlives many calls is left as it was, and no timer stays behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const steps: Step[] = Array.from({ length: 20 }, () => ({ body: DEVICE }));
    await withScriptedHub(steps, async ({ client }) => {
      const { signal } = new AbortController();
      const before = timers();
      for (const _ of steps) {
        await client.getDevice('d1', { abortSignal: signal, timeoutMs: 600_000 });
      }
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
      expect(timers() - before).toBeLessThan(10);
    });
  });

  it('ends a call that waits for its reply', async () => {
    await withScriptedHub([silence], async ({ client, arrived }) => {
      const controller = new AbortController();
      const call = client.getDevice('d1', { abortSignal: controller.signal });
      await arrived(1);
      controller.abort();
      await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  it('ends a call that waits to try again', async () => {
    await withScriptedHub(
      [busy],
      async ({ client, arrived }) => {
        const controller = new AbortController();
        const call = client.getDevice('d1', { abortSignal: controller.signal });
        await arrived(1);
        controller.abort();
        await expect(call).rejects.toMatchObject({ name: 'AbortError' });
      },
      { retryDelayMs: 30_000, maxRetryDelayMs: 30_000 },
    );
  });

  it('keeps a call from being sent when it is aborted already', async () => {
    await withScriptedHub([], async ({ client }) => {
      await expect(client.getDevice('d1', { abortSignal: AbortSignal.abort() })).rejects.toMatchObject({
        name: 'AbortError',
      });
    });
  });

  it('ends a query between its pages', async () => {
    const page: Step = {
      body: [{ deviceId: 'd1' }],
      headers: { 'x-ms-continuation': 'next', 'x-ms-item-type': 'Twin' },
    };
    await withScriptedHub([page], async ({ client }) => {
      const controller = new AbortController();
      const seen: unknown[] = [];
      const reading = async () => {
        for await (const row of client.query('SELECT * FROM devices', { abortSignal: controller.signal })) {
          seen.push(row);
          controller.abort();
        }
      };
      await expect(reading()).rejects.toMatchObject({ name: 'AbortError' });
      expect(seen).toHaveLength(1);
    });
  });
});

describe('an error of our own code', () => {
  it('is never taken for trouble with the network: a line nested too deep to be written is not sent, and not retried', async () => {
    let tags: Record<string, unknown> = {};
    for (let depth = 0; depth < 20_000; depth++) tags = { a: tags };
    await withScriptedHub([], async ({ client, requests }) => {
      const error = await failureOf(client.bulk([{ id: 'd1', importMode: 'delete', tags }]));
      expect(error).toMatchObject({ code: 'HubKeeperFault', kind: 'own', retryable: false, outcomeUnknown: false });
      expect(error.message).toBe(
        'Cannot change 1 identities: HubKeeper itself failed, not the hub or the network (RangeError: Maximum call stack size exceeded).',
      );
      expect(requests).toHaveLength(0);
    });
  });

  it('in the middle of a call leaves open what became of it, and is not retried either', async () => {
    await withScriptedHub([], async ({ client }) => {
      const device = { deviceId: 'd1', etag: 'no\u0001header' };
      const error = await failureOf(client.updateDevice(device, { onlyIfUnchanged: true }));
      expect(error).toMatchObject({ code: 'HubKeeperFault', kind: 'own', retryable: false, outcomeUnknown: true });
      expect(error.message).toContain('(TypeError: Invalid character in header content');
    });
  });
});
