import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { noteEndingRun } from '../../../../src/lib/mirror/refresh/endedRuns.ts';
import { keyText, type MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import type { MirrorStore } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { partitionOfDevice, rowKeyOf } from '../../../../src/lib/mirror/store/rowKeys.ts';
import { createTableStore } from '../../../../src/lib/mirror/store/tableStore.ts';
import type { RunBase } from '../../../../src/lib/runs/runRecord.ts';
import { createStorage, type Storage } from '../../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { HUB, withRefreshedHub } from './refreshedHub.ts';

let azurite: Azurite;
let storage: Storage;
beforeAll(async () => {
  azurite = await startAzurite();
  storage = createStorage({ kind: 'connectionString', connectionString: azurite.connectionString }, () => {
    throw new Error('no identity in this test');
  });
});
afterAll(() => azurite.stop());

const TABLE = 'refreshed';

async function rowsOf(store: MirrorStore): Promise<Record<string, MirrorRow>> {
  const rows = await Array.fromAsync(store.rows(HUB));
  return Object.fromEntries(rows.map(({ row }) => [keyText(row), row]));
}

describe('a refresh of rows in a table', () => {
  it('empties the queue that runs have filled, also with a row in it that nobody can read', async () => {
    const table = storage.table(TABLE);
    const store = createTableStore(table);
    await store.prepare();
    await withRefreshedHub(
      azurite.connectionString,
      async ({ context, client, provision, refresh, refreshContext }) => {
        Object.assign(context, { beforeEnd: (record: RunBase) => noteEndingRun(context.storage, record) });
        const lines = Array.from({ length: 120 }, (_, at) => ({ id: `d${at}`, tags: { at }, importMode: 'create' }));
        const { runId } = await provision([
          ...lines,
          { id: 'edge', capabilities: { iotEdge: true }, importMode: 'create' },
          { id: 'leaf', status: 'disabled', parent: 'edge', importMode: 'create' },
          { id: 'd0', moduleId: 'valve', importMode: 'create' },
          { id: 'hurt', importMode: 'create' },
        ]);
        context.advance(20_000);
        await refresh();
        const made = await rowsOf(store);
        expect(Object.keys(made)).toHaveLength(126);
        expect(Object.values(made).filter((row) => row.state !== 'present' || row.wanted !== undefined)).toEqual([]);
        expect(made['d7']).toMatchObject({
          twin: { tags: { at: 7 } },
          identity: { status: 'enabled' },
          lastRun: runId,
        });
        expect(made['leaf']).toMatchObject({ identity: { status: 'disabled', parent: 'edge' } });
        expect(made['edge/$edgeHub']).toMatchObject({ state: 'present' });

        // What another process has changed is not what this one remembers.
        const others = createTableStore(storage.table(TABLE));
        const since = context.now().toISOString();
        const [d1, hurt] = await others.read(HUB, [{ deviceId: 'd1' }, { deviceId: 'hurt' }]);
        if (d1 === undefined || hurt === undefined) throw new Error('They are not there.');
        const writes = [d1, hurt].map((before) => ({
          key: { deviceId: before.row.deviceId },
          before,
          row: { ...before.row, wanted: { since } },
        }));
        await others.write(HUB, writes);
        const at = { partitionKey: partitionOfDevice(HUB, 'hurt'), rowKey: rowKeyOf({ deviceId: 'hurt' }) };
        await table.updateEntity({ ...at, Row: Buffer.from('{no JSON') }, 'Merge');
        await client.updateTwin({ deviceId: 'd1', tags: { at: 'new' } });
        await provision([
          { id: 'd0', importMode: 'delete' },
          { id: 'hurt', importMode: 'delete' },
        ]);
        context.advance(60_000);
        const { state } = await refresh();
        expect(state).toBe('done');
        const fresh = createTableStore(storage.table(TABLE));
        const [after1, after0, valve] = await fresh.read(HUB, [
          { deviceId: 'd1' },
          { deviceId: 'd0' },
          { deviceId: 'd0', moduleId: 'valve' },
        ]);
        expect(after1?.row).toMatchObject({ twin: { tags: { at: 'new' } } });
        expect([after1?.row.wanted, after0?.row.state, valve?.row.state]).toEqual([undefined, 'deleted', 'deleted']);
        expect(await fresh.countWanted(HUB, 10)).toBe(1);
        expect(context.logged.join('\n')).toMatch(/hurt of the hub default cannot be read in the mirror/);
        expect(refreshContext.store).toBe(store);
      },
      () => store,
    );
  });
});
