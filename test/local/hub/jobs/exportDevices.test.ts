import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { withHub } from '../hubClient.ts';
import {
  createContainer,
  createJob,
  download,
  endOfJob,
  importLines,
  jsonLines,
  sasUri,
  upload,
} from './jobFixture.ts';

let azurite: Azurite;

beforeAll(async () => {
  azurite = await startAzurite();
});

afterAll(async () => {
  await azurite.stop();
});

const quick = { jobEnqueueMs: 0 };
const key = Buffer.alloc(32, 7).toString('base64');

describe('an export job', () => {
  it('writes devices and modules in the hub’s format, and imports take them again', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const authentication = {
        symmetricKey: { primaryKey: key, secondaryKey: key },
        x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
        type: 'sas',
      };
      await importLines(client, container, [
        {
          id: 'd1',
          status: 'disabled',
          statusReason: 'why "so"',
          authentication,
          tags: { a: 'ä' },
          properties: { desired: { t: 1 } },
        },
        { id: 'd1', moduleId: 'm1', status: 'enabled', authentication },
        { id: 'e1', status: 'enabled', authentication, capabilities: { iotEdge: true } },
      ]);
      const { body: edge } = await client.call('GET', '/devices/e1');
      await importLines(client, container, [
        { id: 'leaf', status: 'enabled', authentication, deviceScope: edge.deviceScope },
      ]);
      const uri = await sasUri(container);
      await upload(container, 'out.txt', 'an older export');
      const { body: job } = await createJob(client, {
        type: 'export',
        outputBlobContainerUri: uri,
        outputBlobName: 'out.txt',
      });
      expect((await endOfJob(client, job.jobId)).progress).toBe(100);
      const { body: device } = await client.call('GET', '/devices/d1');
      const { body: leaf } = await client.call('GET', '/devices/leaf');
      const lines = (await download(container, 'out.txt')).split('\r\n');
      expect(lines.pop()).toBe('');
      expect(lines).toHaveLength(6);
      expect(lines[0]).toBe(
        `{"id":"d1","eTag":"${device.etag}","status":"disabled","statusReason":"why \\"so\\"","authentication":${JSON.stringify(authentication)},"twinETag":"AAAAAAAAAAE=","tags":{"a":"ä"},"properties":{"desired":{"t":1},"reported":{}},"capabilities":{"iotEdge":false}}`,
      );
      expect(lines[1]).toMatch(/^\{"id":"d1","moduleId":"m1","eTag":"[^"]+","status":"enabled","authentication":/);
      expect(lines[2]).toContain(`"capabilities":{"iotEdge":true},"deviceScope":"${edge.deviceScope}"}`);
      expect(lines.slice(3, 5).map((line) => JSON.parse(line).moduleId)).toEqual(['$edgeAgent', '$edgeHub']);
      expect(lines[5]).toContain(`"deviceScope":"${leaf.deviceScope}","parentScopes":["${leaf.deviceScope}"]}`);
      const errors = await importLines(client, container, lines);
      expect(errors.map(({ moduleId }) => moduleId)).toEqual(['$edgeAgent', '$edgeHub']);
      expect((await client.call('GET', '/devices/d1')).body).toMatchObject({
        statusReason: 'why "so"',
        authentication,
      });
    });
  });

  it('leaves keys out when told to, after a first line of plain text', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      await importLines(client, container, [
        { id: 'd1', status: 'enabled' },
        {
          id: 'd2',
          status: 'enabled',
          authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: 'AB'.repeat(20) } },
        },
      ]);
      const uri = await sasUri(container);
      const { body: job } = await createJob(client, {
        type: 'export',
        outputBlobContainerUri: uri,
        excludeKeysInExport: true,
      });
      await endOfJob(client, job.jobId);
      expect(await download(container, 'devices.txt')).toMatch(/^[^{]+\r\n\{/);
      const lines = await jsonLines(container, 'devices.txt');
      expect(lines.map(({ id, authentication }) => [id, authentication])).toEqual([
        ['d1', null],
        ['d2', null],
      ]);
    });
  });

  it('shows what configurations did, those that an import brings along too', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const agent = { 'properties.desired': { modules: {} } };
      const modulesContent = { $edgeAgent: agent, m1: { 'properties.desired': { t: 1 } } };
      const configurations = [
        { id: 'dep', priority: 1, targetCondition: "tags.site = 'x'", content: { modulesContent } },
        { id: 'c1', priority: 1, targetCondition: '*', content: { deviceContent: { 'properties.desired.c': 2 } } },
      ];
      await upload(container, 'configurations.txt', configurations.map((line) => JSON.stringify(line)).join('\n'));
      const edge = { id: 'e1', status: 'enabled', capabilities: { iotEdge: true }, tags: { site: 'x' } };
      await upload(
        container,
        'devices.txt',
        [edge, { id: 'd1', status: 'enabled' }].map((line) => JSON.stringify(line)).join('\n'),
      );
      const uri = await sasUri(container);
      const { body: job } = await createJob(client, {
        type: 'import',
        inputBlobContainerUri: uri,
        outputBlobContainerUri: uri,
        includeConfigurations: true,
      });
      await endOfJob(client, job.jobId);
      // With the configurations there, a line makes a device that has them.
      expect(await importLines(client, container, [{ ...edge, id: 'e2' }])).toEqual([]);
      const { body: exported } = await createJob(client, {
        type: 'export',
        outputBlobContainerUri: uri,
        outputBlobName: 'out.txt',
        includeConfigurations: true,
        configurationsBlobName: 'configs.txt',
      });
      await endOfJob(client, exported.jobId);
      const lines = await jsonLines(container, 'out.txt');
      expect(lines.map(({ id, moduleId, properties }) => [id, moduleId, properties.desired])).toEqual(
        expect.arrayContaining([
          ['d1', undefined, { c: 2 }],
          ...['e1', 'e2'].flatMap((id) => [
            [id, undefined, { c: 2 }],
            [id, '$edgeAgent', { modules: {} }],
            [id, '$edgeHub', {}],
            [id, 'm1', { t: 1 }],
          ]),
        ]),
      );
      expect(lines).toHaveLength(9);
      const results = (await jsonLines(container, 'configs.txt')).map(({ Id, SystemMetrics }) => [
        Id,
        SystemMetrics.Results,
      ]);
      expect(results).toEqual([
        ['c1', { targetedCount: 3, appliedCount: 3 }],
        ['dep', { targetedCount: 2, appliedCount: 2, reportedSuccessfulCount: 0, reportedFailedCount: 0 }],
      ]);
    });
  });

  it('writes configurations in Pascal case, and an empty blob when only its name is given', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const content = { deviceContent: { 'properties.desired.t': 1 }, moduleContent: {}, modulesContent: {} };
      const configuration = {
        id: 'c1',
        schemaVersion: '1.0',
        labels: { l: 'x' },
        content,
        targetCondition: "tags.a = 'b'",
        priority: 5,
      };
      expect((await client.call('PUT', '/configurations/c1', { body: configuration })).status).toBe(200);
      const uri = await sasUri(container);
      const request = { type: 'export', outputBlobContainerUri: uri, configurationsBlobName: 'configs.txt' };
      const first = await createJob(client, { ...request, includeConfigurations: true });
      await endOfJob(client, first.body.jobId);
      const [line] = await jsonLines(container, 'configs.txt');
      expect(line).toMatchObject({
        Id: 'c1',
        SchemaVersion: '1.0',
        Labels: { l: 'x' },
        Content: { DeviceContent: { 'properties.desired.t': 1 } },
        TargetCondition: "tags.a = 'b'",
        Priority: 5,
        ETag: 'MQ==',
      });
      const imported = await createContainer(azurite.connectionString);
      await upload(
        imported,
        'configurations.txt',
        [JSON.stringify({ ...line, ETag: 'MQ==' }), JSON.stringify({ ...line, ETag: 'OTk=' }), '{"Id":"c2"}', 'x'].join(
          '\r\n',
        ),
      );
      await upload(imported, 'devices.txt', '{"id":"d1","status":"enabled"}');
      const both = await sasUri(imported);
      const job = await createJob(client, {
        type: 'import',
        inputBlobContainerUri: both,
        outputBlobContainerUri: both,
        includeConfigurations: true,
      });
      await endOfJob(client, job.body.jobId);
      const errors = await jsonLines(imported, 'importConfigErrors.log');
      expect(errors.map(({ configurationId, errorCode }) => [configurationId, errorCode])).toEqual([
        ['c1', 412001],
        ['c2', 400402],
        [undefined, 400012],
      ]);
      const second = await createJob(client, { ...request, outputBlobContainerUri: uri });
      await endOfJob(client, second.body.jobId);
      expect(await download(container, 'configs.txt')).toBe('');
    });
  });
});
