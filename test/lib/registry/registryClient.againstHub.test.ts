/** The client against the hub simulator, a process of its own; jobs through real blobs in Azurite. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  createRegistryClient,
  type ImportExportJob,
  parseHubConnection,
  parseTwin,
  type RegistryClient,
  type WireExportImportDevice,
} from '../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { collectOutput, endProcess } from '../../helpers/childOutput.ts';

interface RunningHub {
  readonly connectionStrings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

async function startHub(): Promise<RunningHub> {
  const data = await mkdtemp(join(tmpdir(), 'hub-'));
  const child = spawn(process.execPath, ['local/hub/main.ts', '--json', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async () => {
    const exitCode = await endProcess(child, 'SIGTERM');
    await rm(data, { recursive: true, force: true });
    expect(exitCode).toBe(0);
  };
  const text = await collectOutput(child, child.stdout).waitFor((written) => written.includes('\n'), 'ready line');
  const { connectionStrings } = JSON.parse(text.slice(0, text.indexOf('\n'))) as Omit<RunningHub, 'stop'>;
  return { connectionStrings, stop };
}

let hub: RunningHub;
let azurite: Azurite;
let client: RegistryClient;
const clientFor = (policy: string): RegistryClient =>
  createRegistryClient(parseHubConnection(hub.connectionStrings[policy] ?? ''));

beforeAll(async () => {
  [hub, azurite] = await Promise.all([startHub(), startAzurite()]);
  client = clientFor('iothubowner');
});

afterAll(async () => {
  await Promise.all([hub?.stop(), azurite?.stop()]);
});

const newKey = () => randomBytes(32).toString('base64');

describe('devices', () => {
  it('are created, read, updated and deleted', async () => {
    const symmetricKey = { primaryKey: newKey(), secondaryKey: newKey() };
    const created = await client.createDevice({
      deviceId: 'crud',
      status: 'disabled',
      statusReason: 'not yet',
      authentication: { type: 'sas', symmetricKey },
    });
    expect(created).toMatchObject({ deviceId: 'crud', status: 'disabled', statusReason: 'not yet' });
    expect(created.authentication?.symmetricKey).toEqual(symmetricKey);
    expect(await client.getDevice('crud')).toEqual(created);

    const updated = await client.updateDevice({ ...created, status: 'enabled' });
    expect(updated.status).toBe('enabled');
    expect(updated.authentication?.symmetricKey).toEqual(symmetricKey);
    expect(updated.etag).not.toBe(created.etag);

    await client.deleteDevice({ deviceId: 'crud' });
    expect(await client.getDevice('crud')).toBeUndefined();
  });

  it('take ids with every character that is allowed', async () => {
    const deviceId = "a-:.%_*?!(),=@;$'Z9";
    await client.createDevice({ deviceId });
    expect((await client.getDevice(deviceId))?.deviceId).toBe(deviceId);
    expect((await client.getTwin({ deviceId }))?.deviceId).toBe(deviceId);
    await client.deleteDevice({ deviceId });
  });

  it('are compared by ETag only when that is asked for', async () => {
    const stale = await client.createDevice({ deviceId: 'etags' });
    const current = await client.updateDevice({ ...stale, statusReason: 'touched' });
    await expect(client.updateDevice(stale, { onlyIfUnchanged: true })).rejects.toMatchObject({
      kind: 'preconditionFailed',
      code: 'PreconditionFailed',
      status: 412,
    });
    await expect(client.deleteDevice(stale, { onlyIfUnchanged: true })).rejects.toMatchObject({
      kind: 'preconditionFailed',
    });
    const latest = await client.updateDevice(current, { onlyIfUnchanged: true });
    await client.updateDevice(stale);
    await expect(client.deleteDevice(latest, { onlyIfUnchanged: true })).rejects.toMatchObject({
      kind: 'preconditionFailed',
    });
    await client.deleteDevice(stale);
  });

  it('that exist are not created, and those that are missing not updated or deleted', async () => {
    await client.createDevice({ deviceId: 'once' });
    await expect(client.createDevice({ deviceId: 'once' })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'DeviceAlreadyExists',
      errorNumber: 409001,
      retryable: false,
    });
    await expect(client.updateDevice({ deviceId: 'never' })).rejects.toMatchObject({
      kind: 'notFound',
      code: 'DeviceNotFound',
    });
    await expect(client.deleteDevice({ deviceId: 'never' })).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('with a bad id are refused with a reason', async () => {
    await expect(client.createDevice({ deviceId: 'x'.repeat(129) })).rejects.toMatchObject({
      kind: 'badRequest',
      status: 400,
    });
  });

  it('are listed', async () => {
    await client.createDevice({ deviceId: 'listed' });
    const listed = await client.listDevices({ top: 1000 });
    expect(listed.map(({ deviceId }) => deviceId)).toContain('listed');
    expect(await client.listDevices({ top: 1 })).toHaveLength(1);
  });
});

describe('modules', () => {
  it('are created, read, listed, updated and deleted with their device', async () => {
    await client.createDevice({ deviceId: 'with-modules' });
    const module = await client.createModule({ deviceId: 'with-modules', moduleId: 'm1', managedBy: 'me' });
    expect(await client.getModule('with-modules', 'm1')).toEqual(module);
    expect(module).toMatchObject({ managedBy: 'me', authentication: { type: 'sas' } });
    expect((await client.listModules('with-modules')).map(({ moduleId }) => moduleId)).toEqual(['m1']);

    const updated = await client.updateModule({ ...module, managedBy: 'you' }, { onlyIfUnchanged: true });
    expect(updated.managedBy).toBe('you');
    await expect(client.updateModule(module, { onlyIfUnchanged: true })).rejects.toMatchObject({
      kind: 'preconditionFailed',
    });
    await expect(client.createModule({ deviceId: 'with-modules', moduleId: 'm1' })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'ModuleAlreadyExistsOnDevice',
      errorNumber: 409301,
    });

    await client.deleteModule(updated);
    expect(await client.getModule('with-modules', 'm1')).toBeUndefined();
  });

  it('come with an edge device', async () => {
    const edge = await client.createDevice({ deviceId: 'edge', capabilities: { iotEdge: true } });
    expect(edge.deviceScope).toMatch(/^ms-azure-iot-edge:\/\/edge-/);
    expect((await client.listModules('edge')).map(({ moduleId }) => moduleId).sort()).toEqual([
      '$edgeAgent',
      '$edgeHub',
    ]);
    // The scope has to be given back: what was read can be written.
    expect((await client.updateDevice({ ...edge, statusReason: 'x' })).deviceScope).toBe(edge.deviceScope);
  });
});

describe('twins', () => {
  it('are merged, replaced and compared by ETag', async () => {
    await client.createDevice({ deviceId: 'twin' });
    const id = { deviceId: 'twin' };
    const first = await client.updateTwin({ ...id, tags: { site: 'a', floor: 1 }, desired: { interval: 5 } });
    expect(first.tags).toEqual({ site: 'a', floor: 1 });
    const merged = await client.updateTwin({ ...id, tags: { floor: null } });
    expect(merged.tags).toEqual({ site: 'a' });
    expect(merged.properties.desired).toMatchObject({ interval: 5 });
    await expect(client.updateTwin({ ...first, tags: { site: 'b' } }, { onlyIfUnchanged: true })).rejects.toMatchObject(
      {
        kind: 'preconditionFailed',
      },
    );
    const replaced = await client.replaceTwin(
      { ...id, etag: merged.etag, desired: { mode: 'eco' } },
      { onlyIfUnchanged: true },
    );
    expect(replaced.tags).toEqual({});
    expect(replaced.properties.desired).toMatchObject({ mode: 'eco' });
    expect(replaced.properties.desired).not.toHaveProperty('interval');
    expect(await client.getTwin(id)).toMatchObject(replaced);
  });

  it('exist for modules too, and are undefined for what is missing', async () => {
    await client.createDevice({ deviceId: 'twin-m' });
    await client.createModule({ deviceId: 'twin-m', moduleId: 'm' });
    const id = { deviceId: 'twin-m', moduleId: 'm' };
    await client.updateTwin({ ...id, desired: { on: true } });
    expect((await client.getTwin(id))?.properties.desired).toMatchObject({ on: true });
    expect(await client.getTwin({ deviceId: 'twin-m', moduleId: 'none' })).toBeUndefined();
    expect(await client.getTwin({ deviceId: 'none' })).toBeUndefined();
  });
});

describe('bulk', () => {
  const item = (
    id: string,
    importMode: string,
    more: Partial<WireExportImportDevice> = {},
  ): WireExportImportDevice => ({
    id,
    importMode,
    status: 'enabled',
    ...more,
  });

  it('writes many devices at once', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `bulk-${String(index).padStart(3, '0')}`);
    const result = await client.bulk(ids.map((id) => item(id, 'create', { tags: { n: id } })));
    expect(result).toEqual({ isSuccessful: true, errors: [], warnings: [] });
    expect((await client.getTwin({ deviceId: 'bulk-042' }))?.tags).toEqual({ n: 'bulk-042' });
  });

  it('tells what became of each item when some fail', async () => {
    await client.createDevice({ deviceId: 'taken' });
    const result = await client.bulk([
      item('fresh', 'create'),
      item('taken', 'create'),
      item('missing', 'delete'),
      item('stale', 'updateIfMatchETag', { eTag: 'MQ==' }),
    ]);
    expect(result.isSuccessful).toBe(false);
    const errors = new Map(result.errors.map(({ deviceId, error }) => [deviceId, error]));
    expect(errors.get('taken')).toEqual({ code: 409001, name: 'DeviceAlreadyExists' });
    expect(errors.get('missing')).toEqual({ code: 404001, name: 'DeviceNotFound' });
    expect(errors.has('stale')).toBe(true);
    expect(errors.has('fresh')).toBe(false);
    expect(await client.getDevice('fresh')).toBeDefined();
  });

  it('refuses a device that is named twice in one call', async () => {
    const twice = client.bulk([item('twice', 'create'), item('twice', 'createOrUpdate')]);
    const outcome = await twice.catch((error: unknown) => error);
    expect(JSON.stringify(outcome)).toContain('DeviceDefinedMultipleTimes');
  });
});

describe('queries', () => {
  beforeAll(async () => {
    const items = Array.from({ length: 25 }, (_, index) => ({
      id: `query-${String(index).padStart(2, '0')}`,
      importMode: 'createOrUpdate',
      status: 'enabled',
      tags: { group: 'query' },
    }));
    await client.bulk(items);
  });

  it('give every device once, page by page', async () => {
    const all = new Set((await client.listDevices({ top: 1000 })).map(({ deviceId }) => deviceId));
    const seen: string[] = [];
    let pages = 0;
    for await (const page of client.query('SELECT * FROM devices').byPage({ maxItems: 10 })) {
      pages += 1;
      expect(page.itemType).toBe('Twin');
      expect(page.items.length).toBeLessThanOrEqual(10);
      seen.push(...page.items.map((row) => parseTwin(row)?.deviceId ?? ''));
    }
    expect(pages).toBeGreaterThan(2);
    expect(new Set(seen)).toEqual(all);
    expect(seen).toHaveLength(all.size);
  });

  it('go on from a continuation', async () => {
    const query = client.query('SELECT * FROM devices');
    const first = [];
    for await (const page of query.byPage({ maxItems: 5 })) {
      first.push(page);
      break;
    }
    const firstIds = new Set(first[0]?.items.map((row) => row.deviceId));
    for await (const page of query.byPage({ maxItems: 5, continuation: first[0]?.continuation ?? '' })) {
      expect(page.items.some((row) => firstIds.has(row.deviceId))).toBe(false);
      break;
    }
  });

  it('count, and statistics agree', async () => {
    const listed = (await client.listDevices({ top: 1000 })).length;
    expect(await client.countDevices()).toBe(listed);
    expect((await client.getRegistryStatistics()).totalDeviceCount).toBe(listed);
    expect((await client.getServiceStatistics()).connectedDeviceCount).toBe(0);
  });

  it('that the hub cannot read are bad requests', async () => {
    const read = async () => {
      for await (const _ of client.query('SELEKT * FRUM devices')) {
        // Nothing comes.
      }
    };
    await expect(read()).rejects.toMatchObject({ kind: 'badRequest', status: 400 });
  });
});

describe('rights', () => {
  it('that a policy lacks are an error of kind unauthorized', async () => {
    const reader = clientFor('registryRead');
    await expect(reader.createDevice({ deviceId: 'forbidden' })).rejects.toMatchObject({
      kind: 'unauthorized',
      status: 401,
      retryable: false,
    });
    expect(await reader.getDevice('forbidden')).toBeUndefined();
  });

  it('are not had with a wrong key', async () => {
    const text = (hub.connectionStrings.iothubowner ?? '').replace(
      /SharedAccessKey=[^;]+/,
      `SharedAccessKey=${newKey()}`,
    );
    const stranger = createRegistryClient(parseHubConnection(text));
    await expect(stranger.getDevice('any')).rejects.toMatchObject({ kind: 'unauthorized', retryable: false });
  });
});

describe('configurations', () => {
  it('are created, read, listed, updated and deleted', async () => {
    const content = { deviceContent: { 'properties.desired.interval': 5 } };
    const created = await client.createConfiguration({
      id: 'conf-1',
      content,
      targetCondition: "tags.group='query'",
      priority: 3,
    });
    expect(created).toMatchObject({ id: 'conf-1', content, priority: 3, targetCondition: "tags.group='query'" });
    await expect(client.createConfiguration({ id: 'conf-1', content })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'ConfigurationAlreadyExists',
    });
    const updated = await client.updateConfiguration({ ...created, priority: 4 }, { onlyIfUnchanged: true });
    expect(updated.priority).toBe(4);
    await expect(client.updateConfiguration(created, { onlyIfUnchanged: true })).rejects.toMatchObject({
      kind: 'preconditionFailed',
    });
    expect((await client.listConfigurations()).map(({ id }) => id)).toContain('conf-1');
    await client.deleteConfiguration(updated);
    expect(await client.getConfiguration('conf-1')).toBeUndefined();
  });

  it('content is applied to edge devices only', async () => {
    const empty = { schemaVersion: '1.1', runtime: { type: 'docker', settings: {} }, systemModules: {}, modules: {} };
    const content = { modulesContent: { $edgeAgent: { 'properties.desired': empty } } };
    await client.createDevice({ deviceId: 'edge-2', capabilities: { iotEdge: true } });
    await client.applyConfigurationContent('edge-2', content);
    expect((await client.getTwin({ deviceId: 'edge-2', moduleId: '$edgeAgent' }))?.properties.desired).toMatchObject({
      schemaVersion: '1.1',
    });
    await client.createDevice({ deviceId: 'no-edge' });
    await expect(client.applyConfigurationContent('no-edge', content)).rejects.toMatchObject({ kind: 'badRequest' });
  });
});

describe('jobs', () => {
  const containerOf = async (name: string) => {
    const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(name);
    await container.create();
    const uri = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse('rwdl'),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
    return { container, uri };
  };
  const ended = async (job: ImportExportJob): Promise<ImportExportJob> => {
    for (let polls = 0; polls < 200; polls += 1) {
      const seen = await client.getJob(job.jobId);
      if (seen !== undefined && ['completed', 'failed', 'cancelled'].includes(seen.status)) {
        return seen;
      }
      await sleep(50);
    }
    throw new Error(`The job ${job.jobId} does not end.`);
  };

  it('import a file, and export what is then there', async () => {
    const { container, uri } = await containerOf('import');
    const lines = [
      { id: 'imported-1', status: 'enabled', importMode: 'create', tags: { from: 'job' } },
      { id: 'imported-2', status: 'asleep', importMode: 'create' },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    await container.getBlockBlobClient('in.txt').upload(text, Buffer.byteLength(text));
    const job = await client.createImportJob({
      inputBlobContainerUri: uri,
      inputBlobName: 'in.txt',
      outputBlobContainerUri: uri,
    });
    expect(job).toMatchObject({ type: 'import', status: 'enqueued' });
    expect(JSON.stringify(job)).not.toContain('sig=');

    // One job at a time: the next one has to wait.
    await expect(client.createExportJob({ outputBlobContainerUri: uri })).rejects.toMatchObject({
      kind: 'busyJob',
      code: 'JobQuotaExceeded',
      status: 403,
      retryable: true,
    });
    expect((await client.listJobs()).map(({ jobId }) => jobId)).toContain(job.jobId);

    expect((await ended(job)).status).toBe('completed');
    expect((await client.getTwin({ deviceId: 'imported-1' }))?.tags).toEqual({ from: 'job' });
    expect(await client.getDevice('imported-2')).toBeUndefined();
    expect((await container.getBlobClient('importErrors.log').getProperties()).contentLength).toBeGreaterThan(0);

    const exported = await ended(
      await client.createExportJob({ outputBlobContainerUri: uri, outputBlobName: 'out.txt', excludeKeys: true }),
    );
    expect(exported).toMatchObject({ type: 'export', status: 'completed' });
    expect((await container.getBlobClient('out.txt').downloadToBuffer()).toString()).toContain('"imported-1"');
  });

  it('with a signature that lacks rights are refused at once, without showing it', async () => {
    const { container } = await containerOf('readonly');
    const uri = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse('r'),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
    const error: unknown = await client
      .createExportJob({ outputBlobContainerUri: uri })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'badRequest', code: 'BlobContainerValidationError' });
    const signature = new URL(uri).searchParams.get('sig') ?? '';
    expect(`${error}${JSON.stringify(error)}`).not.toContain(signature.slice(0, 12));
  });

  it('are cancelled', async () => {
    const { uri } = await containerOf('cancelled');
    const job = await client.createExportJob({ outputBlobContainerUri: uri });
    await client.cancelJob(job.jobId);
    expect((await ended(job)).status).toBe('cancelled');
  });

  it('that the hub does not know are undefined', async () => {
    expect(await client.getJob('00000000-0000-0000-0000-000000000000')).toBeUndefined();
  });
});
