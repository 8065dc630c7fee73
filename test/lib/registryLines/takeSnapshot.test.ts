import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import {
  createRegistryClient,
  HubError,
  parseHubConnection,
  type RegistryClient,
} from '../../../src/lib/registry/index.ts';
import { openSnapshot, type Snapshot } from '../../../src/lib/registryLines/snapshot.ts';
import { type SnapshotPlace, takeSnapshot, takeSnapshotInParts } from '../../../src/lib/registryLines/takeSnapshot.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { testContext } from '../../helpers/provisioningContext.ts';

const KEY = Buffer.from('the key of the pump, which nobody is told').toString('base64');
const AT = '2026-11-20T10:00:00.000Z';

let azurite: Azurite;
let simulator: RunningHub;
let container: ContainerClient;
let hub: RegistryClient;

beforeAll(async () => {
  [azurite, simulator] = await Promise.all([startAzurite(), startHub()]);
  container = testContext(azurite.connectionString).storage.container('snapshots');
  await container.createIfNotExists();
  hub = createRegistryClient(parseHubConnection(simulator.connectionString));
  const symmetricKey = { primaryKey: KEY, secondaryKey: KEY };
  await hub.createDevice({ deviceId: 'pump', authentication: { type: 'sas', symmetricKey } });
  await hub.updateTwin({ deviceId: 'pump', tags: { site: 'north' } });
  await hub.createModule({ deviceId: 'pump', moduleId: 'valve' });
  const blocked = await hub.createDevice({ deviceId: 'blocked' });
  await hub.createModule({ deviceId: 'blocked', moduleId: 'valve' });
  await hub.updateDevice({ ...blocked, status: 'disabled' });
  const top = await hub.createDevice({ deviceId: 'top', capabilities: { iotEdge: true } });
  const middle = { deviceId: 'middle', capabilities: { iotEdge: true }, parentScopes: [top.deviceScope ?? ''] };
  await hub.createDevice(middle);
});
afterAll(() => Promise.all([azurite.stop(), simulator.close()]));

const place = (client: RegistryClient = hub, now = () => new Date(AT)): SnapshotPlace => ({
  hub: client,
  container,
  now,
});
const linesOf = async (snapshot: Snapshot) =>
  (await Array.fromAsync(openSnapshot(container, snapshot).lines())).map(
    (text) => JSON.parse(text) as Record<string, unknown>,
  );
const bytesOf = ({ blobName }: { readonly blobName: string }) => container.getBlobClient(blobName).downloadToBuffer();

function taken(result: Snapshot | string): Snapshot {
  if (typeof result === 'string') throw new Error(`no snapshot, but "${result}"`);
  return result;
}

describe('a snapshot of some identities', () => {
  it('holds those that exist, with keys and twins, and says of what, when, where, and how it was verified', async () => {
    const wanted = [{ id: 'pump' }, { id: 'nobody' }, { id: 'pump', moduleId: 'valve' }, { id: 'blocked' }];
    const snapshot = taken(await takeSnapshot(place(), 'some', wanted));
    const bytes = await bytesOf(snapshot);
    expect(snapshot).toEqual({
      container: 'snapshots',
      blobName: expect.stringMatching(/^some-[0-9a-f]{8}\.txt$/),
      hub: hub.hubName,
      of: 'some',
      way: 'single',
      keys: 'included',
      takenAt: AT,
      asked: 4,
      identities: 3,
      modules: 1,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      etag: (await container.getBlobClient(snapshot.blobName).getProperties()).etag,
    });
    expect(await linesOf(snapshot)).toEqual([
      expect.objectContaining({
        id: 'pump',
        tags: { site: 'north' },
        authentication: expect.objectContaining({ symmetricKey: { primaryKey: KEY, secondaryKey: KEY } }),
      }),
      expect.objectContaining({ id: 'pump', moduleId: 'valve' }),
      expect.objectContaining({ id: 'blocked', status: 'disabled' }),
    ]);
    expect(JSON.stringify(snapshot)).not.toContain(KEY.slice(0, 12));
  });

  it('is one of none where none exists', async () => {
    const snapshot = taken(await takeSnapshot(place(), 'none', [{ id: 'nobody' }]));
    expect(snapshot).toMatchObject({ asked: 1, identities: 0, modules: 0, bytes: 0 });
    expect(await linesOf(snapshot)).toEqual([]);
  });

  it('leaves keys out, or twins, where that is asked for', async () => {
    const keyless = taken(await takeSnapshot(place(), 'keyless', [{ id: 'pump' }], { keys: 'excluded' }));
    expect(keyless.keys).toBe('excluded');
    expect((await bytesOf(keyless)).toString()).not.toContain(KEY);
    expect(await linesOf(keyless)).toEqual([expect.objectContaining({ id: 'pump', tags: { site: 'north' } })]);
    const twinless = taken(await takeSnapshot(place(), 'twinless', [{ id: 'pump' }], { twins: false }));
    expect(Object.keys((await linesOf(twinless))[0] ?? {})).not.toContain('tags');
  });

  it('has what its lines lead to, each once', async () => {
    const follow = ({ id }: { readonly id: string }) =>
      id === 'middle' ? [{ id: 'top' }, { id: 'pump' }] : [{ id: 'pump' }];
    const snapshot = taken(await takeSnapshot(place(), 'led', [{ id: 'middle' }, { id: 'pump' }], { follow }));
    expect((await linesOf(snapshot)).map(({ id }) => id)).toEqual(['middle', 'pump', 'top']);
  });

  it('needs an export where the hub does not show one of them singly', async () => {
    const wanted = [{ id: 'pump' }, { id: 'blocked', moduleId: 'valve' }];
    expect(await takeSnapshot(place(), 'unreadable', wanted)).toBe('export');
    expect(await takeSnapshotInParts(place(), 'unreadable', wanted, new Date(AT))).toBe('export');
    expect(await Array.fromAsync(container.listBlobsFlat({ prefix: 'unreadable' }))).toEqual([]);
  });

  it.each([[{ id: '..' }], [{ id: '.', moduleId: 'valve' }], [{ id: 'pump', moduleId: '..' }]])(
    'is left to an export where URLs would resolve a name: %j',
    async (identity) => {
      expect(await takeSnapshot(place(), 'dots', [{ id: 'pump' }, identity])).toBe('export');
    },
  );
  it('asks for four at a time', async () => {
    let current = 0;
    let most = 0;
    const slow = {
      ...hub,
      async getDevice(id: string) {
        most = Math.max(most, ++current);
        await sleep(5);
        current -= 1;
        return hub.getDevice(id);
      },
    };
    const wanted = Array.from({ length: 10 }, (_, index) => ({ id: `nobody-${index}` }));
    await takeSnapshot(place(slow), 'paced', wanted, { twins: false });
    expect(most).toBe(4);
  });
});

describe('a snapshot that is taken in parts', () => {
  const wanted = [
    ...Array.from({ length: 9 }, (_, index) => ({ id: `nobody-${index}` })),
    { id: 'pump' },
    { id: 'blocked' },
  ];

  /** A hub of which each read takes a second. */
  function slowHub() {
    const reads: string[] = [];
    let skewMs = 0;
    const state = { failsAt: undefined as number | undefined };
    const client: RegistryClient = {
      ...hub,
      async getDevice(id: string) {
        reads.push(id);
        skewMs += 1000;
        if (reads.length === state.failsAt) {
          const busy = { kind: 'network', code: 'Timeout', retryable: true, outcomeUnknown: false } as const;
          throw new HubError({ ...busy, message: 'no reply' });
        }
        return hub.getDevice(id);
      },
    };
    const now = () => new Date(Date.parse(AT) + skewMs);
    return { reads, state, now, at: place(client, now), until: () => new Date(now().getTime() + 4500) };
  }

  it('goes on where it was when its time was up, and reads nothing twice', async () => {
    const slow = slowHub();
    expect(await takeSnapshotInParts(slow.at, 'in-parts', wanted, slow.until())).toBe('again');
    expect(slow.reads).toHaveLength(8);
    const snapshot = taken(await takeSnapshotInParts(slow.at, 'in-parts', wanted, slow.until()));
    expect(slow.reads).toEqual(wanted.map(({ id }) => id));
    expect(snapshot).toMatchObject({ takenAt: AT, asked: 11, identities: 2 });
    expect((await linesOf(snapshot)).map(({ id }) => id)).toEqual(['pump', 'blocked']);
  });

  it('keeps what it has read when the hub is in trouble', async () => {
    const slow = slowHub();
    slow.state.failsAt = 6;
    await expect(takeSnapshotInParts(slow.at, 'in-trouble', wanted, slow.until())).rejects.toThrow('no reply');
    const before = slow.reads.length;
    const late = new Date('2999-01-01T00:00:00Z');
    expect(await takeSnapshotInParts(slow.at, 'in-trouble', wanted, late)).toMatchObject({ asked: 11, identities: 2 });
    expect(slow.reads.slice(before)).toEqual(wanted.slice(4).map(({ id }) => id));
  });
});
