import { describe, expect, it } from 'vitest';
import { type HubClient, withHub } from '../hubClient.ts';

const configuration = {
  id: 'c1',
  schemaVersion: '1.0',
  labels: { team: 'a' },
  content: { deviceContent: { 'properties.desired.t': 1 }, moduleContent: {}, modulesContent: {} },
  targetCondition: "tags.site = 'x' AND properties.reported.fw != '1'",
  priority: 10,
  metrics: { queries: { q: 'SELECT deviceId FROM devices' }, results: {} },
  createdTimeUtc: '0001-01-01T00:00:00',
  etag: '*',
};

function put(client: HubClient, change: object = {}, ifMatch?: string) {
  const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch };
  return client.call('PUT', '/configurations/c1', { body: { ...configuration, ...change }, headers });
}

describe('a configuration', () => {
  it('is created without If-Match, updated by a quoted one only, and its content never changes', async () => {
    await withHub({}, async (client) => {
      const created = await put(client);
      expect(created.status).toBe(200);
      expect(created.headers.get('etag')).toBe('"MQ=="');
      expect(created.body).toMatchObject({
        id: 'c1',
        content: { deviceContent: { 'properties.desired.t': 1 } },
        systemMetrics: { results: { targetedCount: 0, appliedCount: 0 } },
        metrics: { queries: { q: 'SELECT deviceId FROM devices' } },
        etag: 'MQ==',
      });
      expect((await put(client)).headers.get('iothub-errorcode')).toBe('ConfigurationAlreadyExists');
      expect((await put(client, {}, 'MQ==')).status).toBe(409);
      expect((await put(client, {}, '"AAAA"')).status).toBe(412);
      const content = { deviceContent: { 'properties.desired.t': 2 } };
      const updated = await put(client, { priority: 11, content }, '"MQ=="');
      expect(updated.body).toMatchObject({
        priority: 11,
        etag: 'Mg==',
        content: { deviceContent: { 'properties.desired.t': 1 } },
      });
      expect((await client.call('GET', '/configurations')).body).toHaveLength(1);
      expect((await client.call('DELETE', '/configurations/c1')).status).toBe(204);
      expect((await client.call('GET', '/configurations/c1')).headers.get('iothub-errorcode')).toBe(
        'ConfigurationNotFound',
      );
      expect((await put(client, {}, '"*"')).status).toBe(404);
    });
  });

  it('is refused when its content or condition breaks a rule', async () => {
    const cases: readonly (readonly [code: string, change: object])[] = [
      ['InvalidConfigurationContent', { content: undefined }],
      ['InvalidConfigurationContent', { content: { deviceContent: {} } }],
      ['InvalidConfigurationContent', { content: { deviceContent: { t: 1 } } }],
      ['InvalidConfigurationContent', { content: { modulesContent: { m: { 'properties.desired': {} } } } }],
      [
        'InvalidConfigurationContent',
        { content: { deviceContent: { 'properties.desired.t': 1 }, modulesContent: { $edgeAgent: {} } } },
      ],
      ['InvalidConfigurationTargetCondition', { targetCondition: "status = 'enabled'" }],
      ['InvalidConfigurationTargetCondition', { targetCondition: 'properties.desired.t = 1' }],
      ['InvalidConfigurationTargetCondition', { targetCondition: 'tags.site =' }],
      ['InvalidConfigurationTargetCondition', { targetCondition: "FROM devices.modules WHERE moduleId = 'm'" }],
      [
        'InvalidConfigurationTargetCondition',
        { content: { moduleContent: { 'properties.desired.t': 1 } }, targetCondition: "moduleId = 'm'" },
      ],
      ['ArgumentInvalid', { importMode: 'create' }],
      ['ArgumentInvalid', { id: 'other' }],
      ['ArgumentInvalid', { priority: 'high' }],
    ];
    await withHub({ maxConfigurations: 1 }, async (client) => {
      for (const [code, change] of cases) {
        const answer = await put(client, change);
        expect([change, answer.status, answer.headers.get('iothub-errorcode')]).toEqual([change, 400, code]);
      }
      const content = { moduleContent: { 'properties.desired.t': 1 } };
      const targetCondition = "from devices.modules where moduleId = 'm' AND tags.site = 'x'";
      expect((await put(client, { content, targetCondition, importMode: 'CreateOrUpdateIfMatchETag' })).status).toBe(
        200,
      );
      expect((await client.call('DELETE', '/configurations/c1')).status).toBe(204);
      expect((await put(client, { targetCondition: '*' })).status).toBe(200);
      const second = await client.call('PUT', '/configurations/c2', { body: { ...configuration, id: 'c2' } });
      expect(second.status).toBe(413);
      expect((await client.call('PUT', '/configurations/C3', { body: { ...configuration, id: 'C3' } })).status).toBe(
        400,
      );
    });
  });
});

describe('applyConfigurationContent', () => {
  it('writes the desired properties of an edge device’s modules, system ones included', async () => {
    await withHub({}, async (client) => {
      await client.call('PUT', '/devices/e1', { body: { deviceId: 'e1', capabilities: { iotEdge: true } } });
      await client.call('PUT', '/devices/e1/modules/m1', { body: { deviceId: 'e1', moduleId: 'm1' } });
      const body = {
        modulesContent: {
          $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', modules: {} } },
          m1: { 'properties.desired.limits.top': 5 },
        },
      };
      expect((await client.call('POST', '/devices/e1/applyConfigurationContent', { body })).status).toBe(204);
      const { body: agent } = await client.call('GET', '/twins/e1/modules/%24edgeAgent');
      expect(agent.properties.desired).toMatchObject({ schemaVersion: '1.1', modules: {} });
      const { body: module } = await client.call('GET', '/twins/e1/modules/m1');
      expect(module.properties.desired).toMatchObject({ limits: { top: 5 } });
    });
  });

  it('makes the modules that its keys name, keeps those of an earlier content, and an export shows them', async () => {
    await withHub({}, async (client) => {
      await client.call('PUT', '/devices/e1', { body: { deviceId: 'e1', capabilities: { iotEdge: true } } });
      const agent = { 'properties.desired': { modules: { listed: { type: 'docker' } } } };
      const apply = (modulesContent: object) =>
        client.call('POST', '/devices/e1/applyConfigurationContent', { body: { modulesContent } });
      const first = { 'properties.desired': { settings: { prop0: 'val0' } } };
      expect((await apply({ $edgeAgent: agent, $edgeHub: { 'properties.desired': {} }, first })).status).toBe(204);
      expect((await apply({ $edgeAgent: agent, second: { 'properties.desired': { t: 21 } } })).status).toBe(204);
      const { body: modules } = await client.call('GET', '/devices/e1/modules');
      expect(modules.map(({ moduleId }: { moduleId: string }) => moduleId)).toEqual([
        '$edgeAgent',
        '$edgeHub',
        'first',
        'second',
      ]);
      expect(modules[2]).toMatchObject({
        managedBy: 'iotEdge',
        authentication: { type: 'none', symmetricKey: { primaryKey: null, secondaryKey: null } },
      });
      const { body: twin } = await client.call('GET', '/twins/e1/modules/first');
      expect(twin).toMatchObject({
        authenticationType: 'none',
        etag: 'AAAAAAAAAAI=',
        version: 3,
        properties: { desired: { settings: { prop0: 'val0' }, $version: 2 } },
      });
    });
  });

  it('writes nothing at all when a limit of the hub or of a twin refuses a part of it', async () => {
    await withHub({ maxModulesPerDevice: 1 }, async (client) => {
      await client.call('PUT', '/devices/e1', { body: { deviceId: 'e1', capabilities: { iotEdge: true } } });
      const agent = { 'properties.desired': { t: 1 } };
      const cases: readonly (readonly [code: string, modules: object])[] = [
        ['TooManyModulesOnDevice', { a: agent, b: agent }],
        ['ArgumentInvalid', { a: { 'properties.desired': { a$: 1 } } }],
        ['ArgumentInvalid', { 'a b': agent }],
      ];
      for (const [code, modules] of cases) {
        const body = { modulesContent: { $edgeAgent: agent, ...modules } };
        const answer = await client.call('POST', '/devices/e1/applyConfigurationContent', { body });
        expect([modules, answer.headers.get('iothub-errorcode')]).toEqual([modules, code]);
      }
      expect((await client.call('GET', '/devices/e1/modules')).body).toHaveLength(2);
      expect((await client.call('GET', '/twins/e1/modules/%24edgeAgent')).body.version).toBe(2);
    });
  });

  it('refuses a device that is no edge device', async () => {
    await withHub({}, async (client) => {
      await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
      const answer = await client.call('POST', '/devices/d1/applyConfigurationContent', { body: {} });
      expect([answer.status, answer.body.Message]).toEqual([
        400,
        'ErrorCode:ArgumentInvalid;Not an Azure IoT Edge device',
      ]);
    });
  });
});

describe('purge', () => {
  it('finds the queue of a device empty', async () => {
    await withHub({}, async (client) => {
      await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
      const { body } = await client.call('DELETE', '/devices/d1/commands');
      expect(body).toEqual({ totalMessagesPurged: 0, deviceId: 'd1', moduleId: null });
      expect((await client.call('DELETE', '/devices/d2/commands')).status).toBe(404);
    });
  });
});
