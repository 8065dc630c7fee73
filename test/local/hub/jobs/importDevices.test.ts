import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { withHub } from '../hubClient.ts';
import { createContainer, createJob, download, endOfJob, importLines, sasUri, upload } from './jobFixture.ts';

let azurite: Azurite;

beforeAll(async () => {
  azurite = await startAzurite();
});

afterAll(async () => {
  await azurite.stop();
});

const quick = { jobEnqueueMs: 0 };
const key = Buffer.alloc(32, 7).toString('base64');
const authentication = { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } };

describe('an import job', () => {
  it('makes devices, modules and edge devices as the lines have them', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const x509Thumbprint = { primaryThumbprint: 'AB'.repeat(20), secondaryThumbprint: null };
      const errors = await importLines(client, container, [
        {
          id: 'd1',
          importMode: 'create',
          status: 'disabled',
          statusReason: 'why',
          authentication,
          tags: { a: 1 },
          properties: { desired: { t: 1 }, reported: { r: 1 } },
        },
        {
          ID: 'd2',
          Status: 'Enabled',
          ImportMode: 'CreateOrUpdate',
          Authentication: { Type: 'SelfSigned', X509Thumbprint: { PrimaryThumbprint: 'AB'.repeat(20) } },
        },
        { id: 'd3', status: 'enabled', authentication: { type: 'certificateAuthority' } },
        { id: 'e1', status: 'enabled', capabilities: { iotEdge: true } },
        { id: 'd1', moduleId: 'm1', status: 'enabled', tags: { m: true } },
      ]);
      expect(errors).toEqual([]);
      const { body: d1 } = await client.call('GET', '/devices/d1');
      expect(d1).toMatchObject({ status: 'disabled', statusReason: 'why', authentication });
      const { body: twin } = await client.call('GET', '/twins/d1');
      expect(twin.tags).toEqual({ a: 1 });
      expect(twin.properties.desired.t).toBe(1);
      expect(twin.properties.reported.r).toBeUndefined();
      expect((await client.call('GET', '/devices/d2')).body.authentication).toMatchObject({
        type: 'selfSigned',
        x509Thumbprint,
      });
      expect((await client.call('GET', '/devices/d3')).body.authentication.type).toBe('certificateAuthority');
      expect((await client.call('GET', '/devices/e1/modules')).body).toHaveLength(2);
      expect((await client.call('GET', '/twins/d1/modules/m1')).body.tags).toEqual({ m: true });
    });
  });

  it('links devices by the scopes of lines, and wants the own scope of an edge device repeated', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const edge = { importMode: 'createOrUpdate', status: 'enabled', capabilities: { iotEdge: true } };
      expect(
        await importLines(client, container, [
          { id: 'top', ...edge },
          { id: 'below', ...edge },
        ]),
      ).toEqual([]);
      const scopeOf = async (id: string) => (await client.call('GET', `/devices/${id}`)).body.deviceScope;
      const [top, below] = [await scopeOf('top'), await scopeOf('below')];
      const errors = await importLines(client, container, [
        { id: 'top', ...edge },
        { id: 'below', ...edge, deviceScope: below, parentScopes: [top] },
        { id: 'leaf', status: 'enabled', deviceScope: below },
      ]);
      expect(errors.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual([['top', 400028]]);
      expect((await client.call('GET', '/devices/below')).body.parentScopes).toEqual([top]);
      expect((await client.call('GET', '/devices/leaf')).body.parentScopes).toEqual([below]);
      // Left out, a parent is lost.
      await importLines(client, container, [
        { id: 'below', ...edge, deviceScope: below },
        { id: 'leaf', status: 'enabled' },
      ]);
      expect((await client.call('GET', '/devices/below')).body.parentScopes).toBeUndefined();
      expect((await client.call('GET', '/devices/leaf')).body.deviceScope).toBeUndefined();
    });
  });

  it('answers each line that fails with its number, and goes on', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      await importLines(client, container, [{ id: 'there', status: 'enabled', tags: { a: 1 } }]);
      const secret = `{"id":"d1","status":"enabled","authentication":{"type":"SELF_SIGNED","symmetricKey":{"primaryKey":"${key}"}}}`;
      const lines = [
        'This export was made without keys.',
        secret,
        '{"id":"d1"}',
        '{"status":"enabled"}',
        { id: 'there', importMode: 'create', status: 'enabled' },
        { id: 'missing', importMode: 'update', status: 'enabled' },
        { id: 'missing', importMode: 'updateTwin', status: 'enabled' },
        { id: 'missing', importMode: 'delete', status: 'enabled' },
        { id: 'there', importMode: 'deleteIfMatchETag', status: 'enabled', eTag: 'AAAA' },
        { id: 'there', importMode: 'updateTwinIfMatchETag', status: 'enabled', twinETag: 'AAAA', tags: {} },
        { id: 'there', moduleId: '$edgeAgent', status: 'enabled' },
        { id: 'missing', moduleId: 'm1', status: 'enabled' },
        { id: 'x'.repeat(129), status: 'enabled' },
        { id: 'deep', status: 'enabled', tags: { 'a.b': 1 } },
        { id: 'child', status: 'enabled', deviceScope: 'ms-azure-iot-edge://other-1' },
        '',
        { id: 'good', status: 'enabled' },
      ];
      const errors = await importLines(client, container, lines);
      const shown = errors.map(({ deviceId, moduleId, errorCode }) => [deviceId, moduleId, errorCode]);
      expect(shown).toEqual([
        [undefined, undefined, 400012],
        [undefined, undefined, 400012],
        [undefined, undefined, 400012],
        [undefined, undefined, 400012],
        ['there', undefined, 409001],
        ['missing', undefined, 404001],
        ['missing', undefined, 404001],
        ['missing', undefined, 404001],
        ['there', undefined, 412001],
        ['there', undefined, 412001],
        ['there', '$edgeAgent', 400004],
        ['missing', 'm1', 404001],
        ['x'.repeat(129), undefined, 400004],
        ['deep', undefined, 400004],
        ['child', undefined, 400028],
      ]);
      expect(errors[1].errorStatus).toContain(`Invalid device format in line: ${secret}.`);
      expect(errors[1].errorStatus).toMatch(
        /"SELF_SIGNED" to type '[\w.]+'\. Path 'authentication\.type', line 1, position \d+\.$/,
      );
      expect((await client.call('GET', '/devices/good')).status).toBe(200);
      expect((await client.call('GET', '/twins/there')).body.tags).toEqual({ a: 1 });
    });
  });

  it('knows all nine modes, and mints keys for lines without', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      await importLines(
        client,
        container,
        ids.map((id) => ({ id, status: 'enabled', authentication, tags: { v: 1 } })),
      );
      const etags = new Map<string, { eTag: string; twinETag: string }>();
      for (const id of ids) {
        const { body } = await client.call('GET', `/twins/${id}`);
        etags.set(id, { eTag: body.deviceEtag, twinETag: body.etag });
      }
      const changed = { status: 'disabled', authentication, tags: { v: 2 } };
      const errors = await importLines(client, container, [
        { id: 'a', importMode: 'update', ...changed },
        { id: 'b', importMode: 'updateIfMatchETag', ...etags.get('b'), ...changed },
        { id: 'c', importMode: 'createOrUpdate', status: 'enabled' },
        { id: 'd', importMode: 'createOrUpdateIfMatchETag', ...etags.get('d'), ...changed },
        { id: 'e', importMode: 'updateTwin', status: 'disabled', tags: { w: 3 } },
        { id: 'f', importMode: 'updateTwinIfMatchETag', ...etags.get('f'), status: 'disabled', tags: { w: 3 } },
        { id: 'g', importMode: 'delete', status: 'enabled' },
        { id: 'h', importMode: 'deleteIfMatchETag', ...etags.get('h'), status: 'enabled' },
        { id: 'i', importMode: 'create', status: 'enabled' },
        { id: 'j', importMode: 'createOrUpdateIfMatchETag', status: 'enabled' },
      ]);
      expect(errors).toEqual([]);
      const seen: Record<string, unknown> = {};
      for (const id of [...ids, 'i', 'j']) {
        const { body } = await client.call('GET', `/twins/${id}`);
        const { body: device } = await client.call('GET', `/devices/${id}`);
        const keeps = device.authentication?.symmetricKey.primaryKey === key;
        seen[id] = body.deviceId === undefined ? 'gone' : [body.status, body.tags, keeps];
      }
      expect(seen).toEqual({
        a: ['disabled', { v: 2 }, true],
        b: ['disabled', { v: 2 }, true],
        c: ['enabled', { v: 1 }, false],
        d: ['disabled', { v: 2 }, true],
        e: ['enabled', { w: 3 }, true],
        f: ['enabled', { w: 3 }, true],
        g: 'gone',
        h: 'gone',
        i: ['enabled', {}, false],
        j: ['enabled', {}, false],
      });
    });
  });

  it('reads CRLF, a byte order mark, a last line without end, and refuses an over-long line only', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const long = `{"id":"long","status":"enabled","tags":"${'x'.repeat(1024 * 1024)}"}`;
      const text = `\uFEFF{"id":"ä","status":"enabled"}\r\n{"id":"a","status":"enabled"}\r\n${long}\n{"id":"b","status":"enabled"}`;
      const errors = await importLines(client, container, [text]);
      expect(errors.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual([
        ['ä', 400004],
        [undefined, 400012],
      ]);
      expect((await client.call('GET', '/statistics/devices')).body.totalDeviceCount).toBe(2);
    });
  });

  it('shows its states, progress and times, and neither URIs nor names', async () => {
    await withHub({ jobEnqueueMs: 100, jobRate: 100 }, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const lines = Array.from({ length: 60 }, (_, index) => JSON.stringify({ id: `d${index}`, status: 'enabled' }));
      await upload(container, 'input.txt', lines.join('\n'));
      const uri = await sasUri(container);
      const request = {
        jobId: '',
        type: 'Import',
        inputBlobContainerUri: uri,
        inputBlobName: 'input.txt',
        outputBlobContainerUri: uri,
      };
      const created = await createJob(client, request);
      expect(created.status).toBe(200);
      expect(created.body).toEqual({
        jobId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: 'import',
        status: 'enqueued',
        progress: 0,
        inputBlobContainerUri: '',
        outputBlobContainerUri: '',
        failureReason: null,
      });
      const states = new Set<string>();
      const progress = new Set<number>();
      for (;;) {
        const { body } = await client.call('GET', `/jobs/${created.body.jobId}`);
        states.add(body.status);
        progress.add(body.progress);
        if (body.status === 'completed') break;
      }
      expect([...states]).toEqual(['enqueued', 'running', 'completed']);
      expect(progress.size).toBeGreaterThan(3);
      const { body: list } = await client.call('GET', '/jobs');
      expect(list).toEqual([
        expect.objectContaining({ progress: 100, startTimeUtc: expect.any(String), endTimeUtc: expect.any(String) }),
      ]);
      expect(JSON.stringify(list)).not.toContain('sig=');
      expect(await download(container, 'importConfigErrors.log')).toBe('');
    });
  });

  it('echoes its request when told to', async () => {
    await withHub({ ...quick, jobEcho: true }, async (client) => {
      const container = await createContainer(azurite.connectionString);
      await importLines(client, container, [{ id: 'd1', status: 'enabled' }]);
      const { body } = await client.call('GET', '/jobs');
      expect(body[0]).toMatchObject({
        inputBlobName: 'devices.txt',
        inputBlobContainerUri: expect.stringContaining(container.containerName),
      });
    });
  });

  it('is refused at once when its containers do not do', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      await upload(container, 'devices.txt', '{"id":"d1","status":"enabled"}');
      await upload(container, 'empty.txt', '');
      const good = await sasUri(container);
      const cases: readonly (readonly [name: string, text: RegExp, request: object])[] = [
        [
          'no delete',
          /Unauthorized to delete from output blob container/,
          { outputBlobContainerUri: await sasUri(container, 'rwl') },
        ],
        [
          'no write',
          /Unauthorized to write to output blob container/,
          { outputBlobContainerUri: await sasUri(container, 'rd') },
        ],
        [
          'no read',
          /Unauthorized to read from input blob container/,
          { inputBlobContainerUri: await sasUri(container, 'w') },
        ],
        [
          'expired',
          /Unauthorized to read from input/,
          { inputBlobContainerUri: await sasUri(container, 'r', new Date(Date.now() - 1000)) },
        ],
        [
          'a wrong signature',
          /Unauthorized to write to output/,
          { outputBlobContainerUri: good.replace(/sig=[^&]+/, 'sig=AAAA') },
        ],
        ['no signature', /no shared access signature/, { outputBlobContainerUri: container.url }],
        ['no URI', /no URI/, { outputBlobContainerUri: 'here' }],
        ['an empty blob', /is empty/, { inputBlobName: 'empty.txt' }],
        ['a missing blob', /Unauthorized to read from input blob container/, { inputBlobName: 'missing.txt' }],
      ];
      for (const [name, text, change] of cases) {
        const request = { type: 'import', inputBlobContainerUri: good, outputBlobContainerUri: good, ...change };
        const answer = await createJob(client, request);
        expect([name, answer.status, answer.headers.get('iothub-errorcode')]).toEqual([
          name,
          400,
          'BlobContainerValidationError',
        ]);
        expect(answer.body.Message).toMatch(text);
        expect(answer.body.Message).not.toContain('sig=');
      }
      expect((await createJob(client, { type: 'backup', outputBlobContainerUri: good })).status).toBe(400);
      expect((await createJob(client, { type: 'import', outputBlobContainerUri: good })).status).toBe(400);
      expect((await client.call('GET', '/jobs')).body).toEqual([]);
    });
  });

  it('reaches storage by the identity of the hub, if it has one', async () => {
    const container = await createContainer(azurite.connectionString);
    await upload(container, 'devices.txt', '{"id":"d1","status":"enabled"}');
    const request = {
      type: 'import',
      inputBlobContainerUri: container.url,
      outputBlobContainerUri: container.url,
      storageAuthenticationType: 'IdentityBased',
    };
    await withHub(quick, async (client) => {
      expect((await createJob(client, request)).headers.get('iothub-errorcode')).toBe('BlobContainerValidationError');
    });
    await withHub({ ...quick, identityStorage: azurite.connectionString }, async (client) => {
      const { body } = await createJob(client, request);
      expect((await endOfJob(client, body.jobId)).status).toBe('completed');
      expect((await client.call('GET', '/devices/d1')).status).toBe(200);
      const missing = { ...request, outputBlobContainerUri: `${container.url}-missing` };
      expect((await createJob(client, missing)).status).toBe(400);
    });
  });

  it('replaces the log of an earlier job', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      expect(await importLines(client, container, ['nonsense'])).toHaveLength(1);
      expect(await importLines(client, container, [{ id: 'd1', status: 'enabled' }])).toEqual([]);
    });
  });
});

describe('the one job at a time', () => {
  it('keeps other jobs out with 403 until it has ended or is cancelled', async () => {
    await withHub({ jobEnqueueMs: 60_000 }, async (client) => {
      const container = await createContainer(azurite.connectionString);
      await upload(container, 'devices.txt', '{"id":"d1","status":"enabled"}');
      const uri = await sasUri(container);
      const request = { type: 'import', inputBlobContainerUri: uri, outputBlobContainerUri: uri };
      const answers = await Promise.all([1, 2, 3].map(() => createJob(client, request)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
      const refused = answers.find(({ status }) => status === 403);
      expect(refused?.headers.get('iothub-errorcode')).toBe('JobQuotaExceeded');
      expect(refused?.body.Message).toMatch(/^ErrorCode:JobQuotaExceeded;/);
      const { body: running } = await client.call('GET', '/jobs');
      expect((await client.call('DELETE', `/jobs/${running[0].jobId}`)).status).toBe(204);
      expect((await endOfJob(client, running[0].jobId)).status).toBe('cancelled');
      expect((await client.call('DELETE', `/jobs/${running[0].jobId}`)).status).toBe(500);
      expect((await createJob(client, { type: 'export', outputBlobContainerUri: uri })).status).toBe(200);
      const { body: state } = await client.admin('GET', '/state');
      expect(state.jobs).toMatchObject({ importsCreated: 1, exportsCreated: 1, overlapped: false });
    });
  });

  it('stops where it is when it is cancelled, and writes no log', async () => {
    await withHub({ ...quick, jobRate: 50 }, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const lines = Array.from({ length: 1000 }, (_, index) => JSON.stringify({ id: `d${index}`, status: 'enabled' }));
      await upload(container, 'devices.txt', lines.join('\n'));
      const uri = await sasUri(container);
      const { body } = await createJob(client, {
        type: 'import',
        inputBlobContainerUri: uri,
        outputBlobContainerUri: uri,
      });
      for (;;) {
        const { body: state } = await client.admin('GET', '/state');
        if (state.devices > 0) break;
      }
      expect((await client.call('DELETE', `/jobs/${body.jobId}`)).status).toBe(204);
      expect((await endOfJob(client, body.jobId)).status).toBe('cancelled');
      const { body: statistics } = await client.call('GET', '/statistics/devices');
      expect(statistics.totalDeviceCount).toBeLessThan(500);
      expect(await container.getBlobClient('importErrors.log').exists()).toBe(false);
    });
  });

  it('is unknown by another id', async () => {
    await withHub({}, async (client) => {
      const answer = await client.call('GET', '/jobs/nothing');
      expect([answer.status, answer.headers.get('iothub-errorcode')]).toEqual([404, 'JobNotFound']);
    });
  });

  it('can be somebody else’s', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const { status, body } = await client.admin('POST', '/jobs', { type: 'import', durationMs: 600 });
      expect(status).toBe(201);
      const uri = await sasUri(container);
      expect((await createJob(client, { type: 'export', outputBlobContainerUri: uri })).status).toBe(403);
      expect((await endOfJob(client, body.jobId)).status).toBe('completed');
      expect((await createJob(client, { type: 'export', outputBlobContainerUri: uri })).status).toBe(200);
    });
  });
});
