import { TableClient } from '@azure/data-tables';
import { afterAll, describe, expect, it } from 'vitest';

import { keyText, type MirrorRow } from '../../src/lib/mirror/rows/row.ts';
import { createTableStore } from '../../src/lib/mirror/store/tableStore.ts';
import { isFinal } from '../../src/lib/runs/runRecord.ts';
import { linesText } from '../helpers/simulatedHub.ts';
import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';

// Import jobs of the simulator emit no events: what runs have done comes to the mirror by their hand-over alone.
const shared = shareStack({ mirror: true, hubArgs: ['--tier', 'S3', '--query-lag-ms', '1500'] });
afterAll(() => shared.stop());

async function rowsOf({ storageConnectionString }: TestStack): Promise<Record<string, MirrorRow>> {
  const options = { allowInsecureConnection: true };
  const table = TableClient.fromConnectionString(storageConnectionString, 'hubkeepermirror', options);
  const rows = await Array.fromAsync(createTableStore(table).rows('default'));
  return Object.fromEntries(rows.map(({ row }) => [keyText(row), row]));
}

/** The rows, once none of them waits any more. */
function settledRows(stack: TestStack, holds: (rows: Record<string, MirrorRow>) => boolean) {
  return stack.until('rows that are complete', async () => {
    const rows = await rowsOf(stack);
    return Object.values(rows).every(({ wanted }) => wanted === undefined) && holds(rows) && rows;
  });
}

describe('the mirror', () => {
  it('shows what runs have made, changed and deleted within seconds, though no event tells of it', async () => {
    await shared.use(async (stack) => {
      const many = Array.from({ length: 150 }, (_, at) => ({ id: `d${at}`, tags: { at } }));
      await stack.drop(
        'made/devices.txt',
        linesText([
          ...many,
          { id: 'gate', capabilities: { iotEdge: true } },
          { id: 'under', capabilities: { iotEdge: true }, parent: 'gate' },
          { id: 'leaf', status: 'disabled', statusReason: 'stolen', tags: { site: 'faro' }, parent: 'gate' },
          { id: 'leaf', moduleId: 'valve', tags: { of: 'leaf' } },
        ]),
        NOW,
      );
      const made = await stack.finalRecord('made/devices.txt');
      expect(made.state).toBe('completed');
      // All of the file, and the modules that a hub makes with edge devices.
      const rows = await settledRows(stack, (found) => Object.keys(found).length === 158);
      expect(Object.values(rows).filter(({ state }) => state !== 'present')).toEqual([]);
      expect(rows['leaf']).toMatchObject({
        identity: { status: 'disabled', statusReason: 'stolen', edge: false, parent: 'gate' },
        twin: { tags: { site: 'faro' } },
        lastRun: made.runId,
      });
      expect(rows['leaf/valve']).toMatchObject({ twin: { tags: { of: 'leaf' } }, lastRun: made.runId });
      expect(rows['gate']).toMatchObject({ identity: { status: 'enabled', edge: true }, lastRun: made.runId });
      expect(rows['under']).toMatchObject({ identity: { edge: true, parent: 'gate' } });
      expect(rows['d7']).toMatchObject({ identity: { status: 'enabled' }, twin: { tags: { at: 7 } } });
      expect(JSON.stringify(rows)).not.toMatch(/primaryKey|secondaryKey/);

      await stack.drop(
        'changed/devices.txt',
        linesText([
          { id: 'leaf', importMode: 'delete' },
          { id: 'd1', importMode: 'update', status: 'disabled', tags: { at: 'new' } },
        ]),
        NOW,
      );
      const changed = await stack.finalRecord('changed/devices.txt');
      const after = await settledRows(stack, ({ leaf, d1 }) => leaf?.state === 'deleted' && d1?.lastRun !== made.runId);
      expect(after['leaf/valve']?.state).toBe('deleted');
      expect(after['d1']).toMatchObject({
        identity: { status: 'disabled' },
        twin: { tags: { at: 'new' } },
        lastRun: changed.runId,
      });
      const notes = stack.blobs.getContainerClient('hubkeeper-mirror');
      expect(await Array.fromAsync(notes.listBlobsFlat({ prefix: 'runs/' }))).toEqual([]);

      // A reconcile that is asked for is begun by the timer, and finds nothing.
      const asked = notes.getBlockBlobClient('wanted-reconcile/default');
      const wanted = JSON.stringify({ hub: 'default', reason: 'A test asks.', at: new Date().toISOString() });
      await asked.upload(wanted, wanted.length);
      await fetch(`${stack.adminUrl}/admin/functions/mirrorOnTimer`, { method: 'POST' });
      const reconcile = await stack.until('a reconcile', async () =>
        (await stack.records()).find((record) => record.kind === ('reconcile' as string) && isFinal(record.state)),
      );
      const drift = { missing: 0, extra: 0, different: 0 };
      expect(reconcile).toMatchObject({ state: 'completed', request: { reason: 'A test asks.' }, result: drift });
      await stack.until('the note to go', async () => !(await asked.exists()));
    });
  });
});
