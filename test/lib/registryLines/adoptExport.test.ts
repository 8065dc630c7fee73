import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { type ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../src/lib/registry/index.ts';
import { adoptExport } from '../../../src/lib/registryLines/adoptExport.ts';
import { openSnapshot, type Snapshot } from '../../../src/lib/registryLines/snapshot.ts';
import { type SnapshotPlace, takeSnapshot } from '../../../src/lib/registryLines/takeSnapshot.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { testContext } from '../../helpers/provisioningContext.ts';

const AT = '2026-11-20T10:00:00.000Z';

let azurite: Azurite;
let simulator: RunningHub;
let container: ContainerClient;
let hub: RegistryClient;
let place: SnapshotPlace;

beforeAll(async () => {
  [azurite, simulator] = await Promise.all([startAzurite(), startHub()]);
  container = testContext(azurite.connectionString).storage.container('snapshots');
  await container.createIfNotExists();
  hub = createRegistryClient(parseHubConnection(simulator.connectionString));
  place = { hub, container, now: () => new Date(AT) };
  await hub.createDevice({ deviceId: 'pump' });
  await hub.updateTwin({ deviceId: 'pump', tags: { site: 'north' } });
  await hub.createModule({ deviceId: 'pump', moduleId: 'valve' });
  await hub.createDevice({ deviceId: 'blocked', status: 'disabled' });
  await hub.createDevice({ deviceId: 'gateway', capabilities: { iotEdge: true } });
});
afterAll(() => Promise.all([azurite.stop(), simulator.close()]));

const linesOf = async (snapshot: Snapshot) =>
  (await Array.fromAsync(openSnapshot(container, snapshot).lines())).map(
    (text) => JSON.parse(text) as Record<string, unknown>,
  );

function taken(result: Snapshot | string | { readonly fault: string }): Snapshot {
  if (typeof result === 'string' || 'fault' in result) throw new Error(`no snapshot: ${JSON.stringify(result)}`);
  return result;
}

describe('a snapshot of all', () => {
  const job = { jobId: 'j1', status: 'Completed', createdAt: AT };
  const request = { blobName: 'export.txt', keys: 'included' } as const;

  it('is the export of the hub, whose lines say what those that are read singly say', async () => {
    const expiresOn = new Date(Date.now() + 3_600_000);
    const outputBlobContainerUri = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse('rwd'),
      expiresOn,
    });
    let exported = await hub.createExportJob({ outputBlobContainerUri, outputBlobName: 'all.txt' });
    for (let tries = 0; exported.status !== 'completed' && tries < 100; tries++) {
      await sleep(100);
      exported = (await hub.getJob(exported.jobId)) ?? exported;
    }
    const { jobId, status } = exported;
    const all = taken(
      await adoptExport(place, { blobName: 'all.txt', keys: 'included' }, { jobId, status, createdAt: AT }),
    );
    const bytes = await container.getBlobClient(all.blobName).downloadToBuffer();
    expect(all).toEqual({
      container: 'snapshots',
      blobName: 'all.txt',
      hub: hub.hubName,
      of: 'all',
      way: 'export',
      keys: 'included',
      takenAt: AT,
      identities: bytes.toString().trim().split('\n').length,
      modules: expect.any(Number),
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      etag: expect.any(String),
      job: { jobId, status: 'completed' },
    });
    const lines = await linesOf(all);
    expect(all.modules).toBe(lines.filter(({ moduleId }) => moduleId !== undefined).length);
    const some = await takeSnapshot(place, 'same', [{ id: 'pump' }, { id: 'gateway' }, { id: 'blocked' }]);
    for (const single of await linesOf(taken(some))) {
      const { authentication, ...rest } = single;
      expect(lines.find(({ id, moduleId }) => id === single['id'] && moduleId === undefined)).toMatchObject({
        ...rest,
        authentication: { symmetricKey: (authentication as { symmetricKey: object }).symmetricKey },
      });
    }
  });

  it.each([
    ['an empty registry', '', { identities: 0, modules: 0 }],
    ['devices and modules', '{"id":"a"}\n{"id":"a","moduleId":"m"}\n', { identities: 2, modules: 1 }],
    ['no newline at its end', '{"id":"a"}\n{"id":"b","moduleId":null}', { identities: 2, modules: 0 }],
    ['lines that end as on Windows, and an empty one', '{"id":"a"}\r\n{"id":"b"}\r\n\r\n', { identities: 2 }],
    ['a first line of plain text', 'Without keys.\n{"id":"a"}\n', { identities: 1 }],
    ['a line that is cut off', '{"id":"a"}\n{"id":"b","tags":{"si', { fault: 'torn', line: 2 }],
    ['a line that is cut off in its id', '{"id":"a"}\n{"id":"', { fault: 'torn', line: 2 }],
    ['plain text in its midst', '{"id":"a"}\nsorry\n{"id":"b"}\n', { fault: 'torn', line: 2 }],
    ['an object that names nobody', '{"id":"a"}\n{"Id":"b"}\n', { fault: 'torn', line: 2 }],
    ['only a first line that is cut off', '{"id":"a"', { fault: 'torn', line: 1 }],
  ])('is looked at line by line: %s', async (_what, text, { line, ...expected }: Record<string, unknown>) => {
    await container.getBlockBlobClient(request.blobName).upload(text, text.length);
    const adopted = await adoptExport(place, request, job);
    expect(adopted).toMatchObject(expected);
    if ('why' in adopted) {
      expect(adopted.why).toBe(`ended as "Completed", but line ${line} of what it left is cut off or no identity`);
    } else {
      expect(await linesOf(adopted)).toHaveLength(adopted.identities);
      expect(adopted.bytes).toBe(text.length);
    }
  });

  it.each([
    ['failed', 'export.txt', { fault: 'notCompleted', why: 'ended as "failed"' }],
    ['unknown', 'export.txt', { fault: 'notCompleted', why: 'ended as "unknown"' }],
    ['completed', 'missing.txt', { fault: 'missing', why: 'ended as "completed" and left nothing' }],
  ])('is none of a job that ended as %s and was to write %s', async (status, blobName, fault) => {
    await container.getBlockBlobClient('export.txt').upload('{"id":"a"}', 10);
    expect(await adoptExport(place, { ...request, blobName }, { ...job, status })).toEqual(fault);
  });
});
