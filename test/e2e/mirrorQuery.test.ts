/** Questions to the mirror through a Functions host and on the command line, of rows that stand in its store. */

import { afterAll, describe, expect, it } from 'vitest';

import type { MirrorRow } from '../../src/lib/mirror/rows/row.ts';
import type { MirrorStatus } from '../../src/lib/mirror/status/mirrorStatus.ts';
import { createTableStore } from '../../src/lib/mirror/store/tableStore.ts';
import { createStorage } from '../../src/lib/storage/storage.ts';
import { onTerminal } from '../cli/onTerminal.ts';
import { shareStack, type TestStack } from '../helpers/stack.ts';

const shared = shareStack({ mirror: true, moreHubs: ['east'], settings: { RECONCILE_SCHEDULE: 'off' } });
afterAll(() => shared.stop());

const AT = '2026-11-26T10:00:00.000Z';
/** As hubs take them in ids, and as paths and queries do not take them as they are. */
const ODD_IDS = ['a#b', 'a?b', 'a%b', 'a%2Fb', 'a+b', 'a=c', "a'b", '..', 'count', 'a;b@c$d*e!f(g),h'];

function row(deviceId: string, more: Partial<MirrorRow> = {}): MirrorRow {
  return {
    ...{ hub: 'default', deviceId, state: 'present', updatedAt: AT, changes: [] },
    identity: { status: 'enabled', edge: false },
    twin: { tags: {}, desired: { interval: 30 }, reported: { fw: '1.0' }, version: 4 },
    ...more,
  };
}

function tagged(deviceId: string, tags: Readonly<Record<string, unknown>>, more: Partial<MirrorRow> = {}): MirrorRow {
  return row(deviceId, { twin: { tags, desired: {}, reported: {}, version: 2 }, ...more });
}

async function fill(stack: TestStack, rows: readonly MirrorRow[]): Promise<void> {
  const connection = { kind: 'connectionString', connectionString: stack.storageConnectionString } as const;
  const storage = createStorage(connection, () => {
    throw new Error('no identity in this test');
  });
  const store = createTableStore(storage.table('hubkeepermirror'));
  await store.prepare();
  for (const hub of new Set(rows.map((one) => one.hub))) {
    const writes = rows
      .filter((one) => one.hub === hub)
      .map((one) => ({
        row: one,
        key:
          one.moduleId === undefined ? { deviceId: one.deviceId } : { deviceId: one.deviceId, moduleId: one.moduleId },
      }));
    // Those that stand there from an earlier test stay.
    await store.write(hub, writes);
  }
}

const fleet: readonly MirrorRow[] = [
  ...ODD_IDS.map((id) => row(id)),
  ...Array.from({ length: 60 }, (_, at) =>
    tagged(`pump-${String(at).padStart(2, '0')}`, { site: at % 3 === 0 ? 'faro' : 'lagos', floor: at }),
  ),
  tagged('edge-1', { site: 'faro', evil: '\u001b[2J' }, { identity: { status: 'disabled', edge: true } }),
  row('edge-1', { moduleId: '$edgeAgent', identity: {} }),
  row('gone', { state: 'deleted', deletedAt: AT, changes: [{ at: AT, by: 'event', what: ['deleted'] }] }),
  row('pump-07', { hub: 'east' }),
];

describe('the mirror', () => {
  it('answers questions of devices, whatever their ids are', async () => {
    await shared.use(async (stack) => {
      await fill(stack, fleet);
      const get = async (path: string) => stack.api('GET', path);
      const ids = async (query: string) => {
        const { body } = await get(`devices?${query}`);
        return (body as { rows: MirrorRow[] }).rows.map(({ hub, deviceId, moduleId = '' }) =>
          `${hub}/${deviceId}/${moduleId}`.replace(/\/$/, ''),
        );
      };

      for (const id of ODD_IDS) {
        const encoded = encodeURIComponent(id);
        expect(await get(`device?id=${encoded}`), id).toMatchObject({
          status: 200,
          body: { deviceId: id, hub: 'default' },
        });
        expect(await ids(`id=${encoded}`)).toEqual([`default/${id}`]);
        if (id !== 'count' && id !== '..')
          expect(await get(`devices/${encoded}`), id).toMatchObject({ body: { deviceId: id } });
      }
      expect(await get('devices/edge-1')).toMatchObject({
        status: 200,
        body: { status: 'disabled', edge: true, state: 'present', modules: [{ moduleId: '$edgeAgent' }] },
      });
      expect(await get('devices/gone')).toMatchObject({ status: 200, body: { state: 'deleted', deletedAt: AT } });
      expect(await get('devices/none')).toMatchObject({ status: 404, body: { error: { code: 'deviceUnknown' } } });
      expect(await get('devices/pump-07')).toMatchObject({ status: 409, body: { error: { code: 'deviceInSeveral' } } });
      expect(await get('devices/pump-07?hub=east')).toMatchObject({ status: 200, body: { hub: 'east' } });

      expect(await ids('prefix=pump-0&limit=3')).toEqual(['default/pump-00', 'default/pump-01', 'default/pump-02']);
      expect(await ids('prefix=pump-07')).toEqual(['default/pump-07', 'east/pump-07']);
      expect(await ids('tag=site=faro&tag=floor=9')).toEqual(['default/pump-09']);
      expect(await ids('edge=true&modules=true&status=disabled')).toEqual(['default/edge-1']);
      expect(await ids('module=%24edgeAgent')).toEqual(['default/edge-1/$edgeAgent']);
      expect(await get('devices?tags=site=faro')).toMatchObject({
        status: 400,
        body: { error: { code: 'queryInvalid' } },
      });

      const first = (await get('devices?hub=default&limit=40')).body as { rows: MirrorRow[]; next: string };
      expect(first.next).toBe(first.rows.at(-1)?.deviceId);
      const rest = (await get(`devices?hub=default&limit=40&after=${encodeURIComponent(first.next)}`))
        .body as typeof first;
      expect(rest).not.toHaveProperty('next');
      const listed = [...first.rows, ...rest.rows].map(({ deviceId }) => deviceId);
      const expected = fleet.filter(
        ({ hub, state, moduleId }) => hub === 'default' && state === 'present' && !moduleId,
      );
      expect(listed).toEqual(expected.map(({ deviceId }) => deviceId).sort());

      expect(await get('devices/count?hub=default&by=tag.site')).toMatchObject({
        status: 200,
        body: {
          devices: 71,
          modules: 1,
          by: 'tag.site',
          groups: [
            { value: 'lagos', devices: 40 },
            { value: 'faro', devices: 21 },
            { value: null, devices: 10 },
          ],
        },
      });
      expect(await get('devices/count?by=hub')).toMatchObject({
        body: {
          groups: [
            { value: 'default', devices: 71 },
            { value: 'east', devices: 1 },
          ],
        },
      });
      expect(await get('devices/count?by=size')).toMatchObject({ status: 400 });
    });
  });

  it('is asked on the command line', async () => {
    await shared.use(async (stack) => {
      await fill(stack, fleet);
      const cli = (...args: string[]) => onTerminal(160, [...args, '--data', stack.data]);
      const json = async (...args: string[]) => {
        const { code, stdout, stderr } = await cli(...args, '--json');
        expect({ code, stderr }).toMatchObject({ code: 0 });
        expect(stdout).toMatch(/^[^\n]*\n$/);
        return JSON.parse(stdout);
      };
      const some = await json('devices', 'pump-', '--hub', 'default', '--tag', 'site=faro', '--limit', '2');
      const all = await json('devices', '--all');
      const counts = await json('devices', '--count', '--by', 'status');
      const one = await json('device', 'a%2Fb');
      const status = await json('mirror', 'status');
      const table = await cli('devices', '--edge');
      const device = await cli('device', 'edge-1');
      const none = await cli('device', 'none');
      const wrong = await cli('devices', '--count', '--status', 'enabled');
      expect(some).toMatchObject([{ deviceId: 'pump-00', tags: { site: 'faro' } }, { deviceId: 'pump-03' }]);
      expect(all).toHaveLength(72);
      expect(counts).toMatchObject({
        devices: 72,
        groups: [
          { value: 'enabled', devices: 71 },
          { value: 'disabled', devices: 1 },
        ],
      });
      expect(one).toMatchObject({
        deviceId: 'a%2Fb',
        properties: { desired: { interval: 30 }, reported: { fw: '1.0' } },
      });
      expect(status).toMatchObject({
        hubs: [
          { hub: 'default', devices: 71 },
          { hub: 'east', devices: 1 },
        ],
      });
      expect(table.stdout).toMatch(/^DEVICE +STATUS +EDGE .*\nedge-1 +disabled +yes .* site=faro evil=\\u001b\[2J\n$/);
      expect(device.stdout).toContain('module $edgeAgent');
      expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('The mirror has no device none.') });
      expect(wrong).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--count goes with --hub and --by alone.'),
      });
    });
  });

  it('tells how far it is with the events of each hub, and tries dead letters again', async () => {
    await shared.use(async (stack) => {
      await stack.rest('PUT', '/devices/born', { deviceId: 'born' });
      const status = await stack.until('the event to be taken in', async () => {
        const { body } = await stack.api('GET', 'mirror');
        return (body as MirrorStatus).events.applied['createDeviceIdentity'] === undefined
          ? undefined
          : (body as MirrorStatus);
      });
      expect(status.events.firstLifecycleAt).toMatch(/^20/);
      expect(status.sources.map(({ source, hub, events }) => [source, hub, events])).toEqual([
        ['MIRROR_EVENTS_default', 'default', 0],
        ['MIRROR_EVENTS_east', 'east', 0],
      ]);
      const { status: health, body } = await stack.api('GET', 'health');
      expect({ health, body }).toMatchObject({ health: 200, body: { mirror: { deadLetters: { count: 0 } } } });

      const container = stack.blobs.getContainerClient('hubkeeper-mirror');
      const place = { source: 'MIRROR_EVENTS_default', partition: '0', sequence: 7, offset: '7', enqueuedAt: AT };
      const created = { kind: 'created', hub: 'default', deviceId: 'late', at: '2026-11-26T10:00:00.0000000Z', place };
      const letters = {
        '7-notTaken': {
          reason: { code: 'notTaken', message: '' },
          place,
          at: AT,
          event: { ...created, twin: { tags: {}, desired: {}, reported: {}, version: 2 } },
        },
        '8-bodyLost': { reason: { code: 'bodyLost', message: '' }, place, at: AT },
      };
      for (const [name, letter] of Object.entries(letters)) {
        const text = JSON.stringify(letter);
        await container
          .getBlockBlobClient(`dead-letters/MIRROR_EVENTS_default/0/${name}.json`)
          .upload(text, Buffer.byteLength(text));
      }
      expect((await stack.api('GET', 'mirror')).body).toMatchObject({
        deadLetters: { count: 2, reasons: { notTaken: 1, bodyLost: 1 } },
        notes: expect.arrayContaining([expect.objectContaining({ code: 'deadLetters', unhealthy: false })]),
      });
      const replay = await onTerminal(160, ['mirror', 'replay', '--json', '--data', stack.data]);
      expect(replay).toMatchObject({ code: 1, stdout: '{"applied":1,"dead":1,"left":false}\n' });
      expect(await stack.api('GET', 'devices/late')).toMatchObject({ status: 200, body: { deviceId: 'late' } });
      expect(await onTerminal(80, ['mirror', 'status', '--data', stack.data])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /^MIRROR_EVENTS_default: .*\nPARTITION .*\nHUB .*\n {2}applied +1 \(createDeviceIdentity 1\).*\(bodyLost 1\)/s,
        ),
      });
    });
  });
});
