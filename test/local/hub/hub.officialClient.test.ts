import { Agent } from 'node:https';
import { connect } from 'node:net';
import iothub from 'azure-iothub';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { createClient } from './hubClient.ts';
import { createContainer, download, endOfJob, sasUri, upload } from './jobs/jobFixture.ts';

let azurite: Azurite;
let hub: RunningHub;
let agent: Agent;

beforeAll(async () => {
  [azurite, hub] = await Promise.all([startAzurite(), startHub({ jobEnqueueMs: 0 })]);
});

afterAll(async () => {
  agent?.destroy();
  await hub.close();
  await azurite.stop();
});

/** The Node SDK speaks https to port 443 only: its agent gets plain sockets to the simulator instead. */
function connectRegistry(): iothub.Registry {
  const plain = hub.connectionString.replace(';UseDevelopmentEmulator=true', '');
  const registry = iothub.Registry.fromConnectionString(plain);
  const { port } = new URL(`http://${/HostName=([^;]+)/.exec(hub.connectionString)?.[1]}`);
  agent = new Agent({ keepAlive: false });
  agent.createConnection = () => connect(Number(port), '127.0.0.1');
  const { _restApiClient: rest } = registry as unknown as {
    _restApiClient: { setOptions(options: { http: { agent: Agent } }): void };
  };
  rest.setOptions({ http: { agent } });
  return registry;
}

describe('azure-iothub, unmodified,', () => {
  it('creates, reads, updates, lists, queries and deletes devices, modules and twins', async () => {
    const registry = connectRegistry();
    const created = (await registry.create({ deviceId: 'sdk-1', status: 'enabled' })).responseBody;
    expect(created.deviceId).toBe('sdk-1');
    await expect(registry.create({ deviceId: 'sdk-1' })).rejects.toMatchObject({ name: 'DeviceAlreadyExistsError' });
    await expect(registry.get('nobody')).rejects.toMatchObject({ name: 'DeviceNotFoundError' });
    const updated = (await registry.update({ deviceId: 'sdk-1', status: 'disabled' })).responseBody;
    expect(updated.status).toBe('disabled');
    await registry.update({ deviceId: 'sdk-1', status: 'enabled' });
    const twin = (await registry.getTwin('sdk-1')).responseBody;
    const changed = (await registry.updateTwin('sdk-1', { tags: { site: 'x' } }, twin.etag)).responseBody;
    expect(changed.tags).toEqual({ site: 'x' });
    await registry.addModule({ deviceId: 'sdk-1', moduleId: 'm1' });
    expect((await registry.getModulesOnDevice('sdk-1')).responseBody).toHaveLength(1);
    await registry.addDevices([
      { deviceId: 'sdk-2', status: 'enabled' },
      { deviceId: 'sdk-3', status: 'enabled' },
    ]);
    expect((await registry.list()).responseBody).toHaveLength(3);
    const page = await registry.createQuery("SELECT * FROM devices WHERE tags.site = 'x'", 10).nextAsTwin();
    expect(page.result.map(({ deviceId }: { deviceId: string }) => deviceId)).toEqual(['sdk-1']);
    expect((await registry.getRegistryStatistics()).responseBody.totalDeviceCount).toBe(3);
    await registry.removeDevices(
      [
        { deviceId: 'sdk-2', status: 'enabled' },
        { deviceId: 'sdk-3', status: 'enabled' },
      ] as unknown as Parameters<typeof registry.removeDevices>[0],
      true,
    );
    await registry.removeModule('sdk-1', 'm1');
    await registry.delete('sdk-1');
    expect((await registry.list()).responseBody).toEqual([]);
  });

  it('runs import and export jobs and keeps configurations', async () => {
    const registry = connectRegistry();
    const client = createClient(hub);
    const container = await createContainer(azurite.connectionString);
    await upload(container, 'devices.txt', '{"id":"imported","status":"enabled"}\n');
    const uri = await sasUri(container);
    const started = (await registry.importDevicesFromBlob(uri, uri)) as unknown as { jobId: string };
    expect((await endOfJob(client, started.jobId)).status).toBe('completed');
    const seen = (await registry.getJob(started.jobId)) as unknown as { status: string };
    expect(seen.status).toBe('completed');
    const exported = (await registry.exportDevicesToBlob(uri, false)) as unknown as { jobId: string };
    await endOfJob(client, exported.jobId);
    expect(await download(container, 'devices.txt')).toContain('"id":"imported"');
    const configuration = {
      id: 'c1',
      schemaVersion: '1.0',
      content: { deviceContent: { 'properties.desired.a': 1 } },
      targetCondition: '*',
      priority: 1,
    } as unknown as iothub.Configuration;
    await registry.addConfiguration(configuration);
    const read = (await registry.getConfiguration('c1')).responseBody;
    await registry.updateConfiguration({ ...read, priority: 2 } as iothub.Configuration);
    expect((await registry.getConfigurations()).responseBody).toHaveLength(1);
    await registry.removeConfiguration('c1');
    await registry.delete('imported');
  });
});
