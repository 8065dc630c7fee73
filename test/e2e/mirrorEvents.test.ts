import { TableClient } from '@azure/data-tables';
import { afterAll, describe, expect, it } from 'vitest';

import { readPositions } from '../../src/lib/mirror/notes/position.ts';
import { keyText, type MirrorRow } from '../../src/lib/mirror/rows/row.ts';
import { createTableStore } from '../../src/lib/mirror/store/tableStore.ts';
import { shareStack, type TestStack } from '../helpers/stack.ts';

const shared = shareStack({ mirror: true, hubArgs: ['--tier', 'S3', '--query-lag-ms', '1000'] });
afterAll(() => shared.stop());

async function rowsOf({ storageConnectionString }: TestStack): Promise<Record<string, MirrorRow>> {
  const options = { allowInsecureConnection: true };
  const table = TableClient.fromConnectionString(storageConnectionString, 'hubkeepermirror', options);
  const rows = await Array.fromAsync(createTableStore(table).rows('default'));
  return Object.fromEntries(rows.map(({ row }) => [keyText(row), row]));
}

/** What a mirror shows of the devices of a hub, and what the hub itself says of them. */
function shown(rows: Record<string, MirrorRow>) {
  const present = Object.values(rows).filter(({ state, moduleId }) => state === 'present' && moduleId === undefined);
  return Object.fromEntries(
    present.map(({ deviceId, identity, twin }) => [
      deviceId,
      { status: identity?.status, version: twin?.version, tags: twin?.tags, desired: twin?.desired },
    ]),
  );
}

interface HubTwin {
  readonly status: string;
  readonly version: number;
  readonly tags?: object;
  readonly properties: { readonly desired: object };
}

/** The same as the hub itself says it: read one by one, for its queries are late. */
async function inHub({ rest }: TestStack, ids: readonly string[]) {
  const found: [string, object][] = [];
  await all(ids.length, async (at) => {
    const { status: code, body } = await rest('GET', `/twins/${ids[at]}`);
    if (code !== 200) return;
    const { status, version, tags = {}, properties } = body as HubTwin;
    const { $metadata: _metadata, $version: _version, ...desired } = properties.desired as Record<string, unknown>;
    found.push([ids[at] ?? '', { status, version, tags, desired }]);
  });
  return Object.fromEntries(found);
}

async function all(count: number, call: (at: number) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < count; at += 16) {
    await Promise.all(Array.from({ length: Math.min(16, count - at) }, (_, next) => call(at + next)));
  }
}

describe('the mirror', () => {
  it('follows what others change in a hub, though batches come twice and late, and its events are read again', async () => {
    await shared.use(async (stack) => {
      const { rest } = stack;
      const id = (at: number) => `d${String(at).padStart(3, '0')}`;
      const create = (at: number) => rest('PUT', `/devices/${id(at)}`, { deviceId: id(at) });
      const patch = (at: number, tags: object) =>
        rest('PATCH', `/twins/${id(at)}`, { tags, properties: { desired: tags } });
      await all(200, create);
      await all(30, (at) => rest('PUT', `/devices/${id(at)}/modules/m`, { deviceId: id(at), moduleId: 'm' }));
      await all(100, (at) => patch(at, { site: 'faro', n: at, deep: { a: 1, b: 2 } }));
      await fetch(`${stack.hubAdminUrl}/events/redeliver`, { method: 'POST', body: '{}' });
      await all(60, (at) => patch(at, { site: null, n: -at, deep: { b: null, c: [at] } }));
      await all(20, (at) => rest('DELETE', `/devices/${id(at)}`, undefined, { 'if-match': '*' }));
      await all(10, create);
      await all(10, (at) => patch(at, { again: true }));
      await all(5, (at) => rest('PUT', `/twins/${id(at + 30)}`, { tags: { whole: at }, properties: { desired: {} } }));
      await fetch(`${stack.hubAdminUrl}/events/redeliver`, { method: 'POST', body: '{"events":200}' });
      const expected = await inHub(
        stack,
        Array.from({ length: 200 }, (_, at) => id(at)),
      );
      expect(Object.keys(expected)).toHaveLength(190);
      const rows = await stack.until('the mirror to follow', async () => {
        const found = await rowsOf(stack);
        return (
          Object.values(found).every(({ wanted }) => wanted === undefined) &&
          Object.keys(shown(found)).length === 190 &&
          found
        );
      });
      expect(shown(rows)).toEqual(expected);
      const modules = Object.values(rows).filter(
        ({ moduleId, state }) => moduleId !== undefined && state === 'present',
      );
      expect(modules.map(({ deviceId }) => deviceId)).toEqual(Array.from({ length: 10 }, (_, at) => id(at + 20)));
      expect(rows[id(0)]?.changes.map(({ what }) => what[0])).toContain('deleted');
      expect(JSON.stringify(rows)).not.toMatch(/primaryKey|secondaryKey/);

      const positions = await readPositions(
        { container: (name) => stack.blobs.getContainerClient(name) },
        'MIRROR_EVENTS',
      );
      expect(positions).toHaveLength(4);
      expect(positions.every(({ lastLifecycleAt, counts }) => lastLifecycleAt !== undefined && counts.dead === 0)).toBe(
        true,
      );
    });
  });
});
