import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { noteBlob } from '../../../../src/lib/mirror/notes/note.ts';
import { readWantedReconcile } from '../../../../src/lib/mirror/notes/wantedReconcile.ts';
import { endedRuns, noteEndingRun } from '../../../../src/lib/mirror/refresh/endedRuns.ts';
import { handOverRuns } from '../../../../src/lib/mirror/refresh/handOverRuns.ts';
import { MOST_LINES } from '../../../../src/lib/mirror/refresh/touched.ts';
import { mergeEvent } from '../../../../src/lib/mirror/rows/mergeEvent.ts';
import { clockTime } from '../../../../src/lib/mirror/rows/operationTime.ts';
import { StoreUnavailable } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import type { RunEffects } from '../../../../src/lib/runs/runEffects.ts';
import type { RunBase } from '../../../../src/lib/runs/runRecord.ts';
import { writeLines } from '../../../../src/lib/storage/ndjson.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile } from '../../../helpers/provisioningContext.ts';
import { HUB, type RefreshedHub, withRefreshedHub } from './refreshedHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

/** A hub whose runs tell of their end. */
const onHub = (work: (hub: RefreshedHub) => Promise<void>) =>
  withRefreshedHub(azurite.connectionString, async (hub) => {
    Object.assign(hub.context, { beforeEnd: (record: RunBase) => noteEndingRun(hub.context.storage, record) });
    await work(hub);
    // Whatever became of a run, its note is gone in the end.
    expect((await endedRuns(hub.context.storage)).get(HUB) ?? []).toEqual([]);
  });
const wanted = ({ store }: RefreshedHub) =>
  Object.fromEntries(
    store
      .all(HUB)
      .flatMap(({ deviceId, moduleId = '', wanted: why }) =>
        why ? [[`${deviceId}/${moduleId}`, why.byGet === true]] : [],
      ),
  );

describe('a run that has ended', () => {
  it('hands over what it has touched, and the mirror comes to what the hub has', async () => {
    await onHub(async (hub) => {
      const { client, provision, refresh, row, context } = hub;
      await client.createDevice({ deviceId: 'old' });
      await client.createModule({ deviceId: 'old', moduleId: 'm1' });
      await client.createDevice({ deviceId: 'there' });
      const { runId } = await provision([
        { id: 'edge', capabilities: { iotEdge: true }, importMode: 'create' },
        { id: 'leaf', status: 'disabled', tags: { site: 'faro' }, parent: 'edge', importMode: 'create' },
        { id: 'leaf', moduleId: 'valve', importMode: 'create' },
        { id: 'there', importMode: 'create' },
        { id: 'never', importMode: 'delete' },
      ]);
      context.advance(20_000);
      await refresh();
      expect(row('leaf')).toMatchObject({
        state: 'present',
        identity: { status: 'disabled', edge: false, parent: 'edge' },
        twin: { tags: { site: 'faro' } },
        lastRun: runId,
      });
      expect(row('edge')).toMatchObject({ identity: { edge: true }, lastRun: runId });
      expect(['$edgeAgent', '$edgeHub'].map((id) => row('edge', id)?.state)).toEqual(['present', 'present']);
      expect(row('leaf', 'valve')).toMatchObject({ state: 'present', lastRun: runId });
      // What it did nothing to.
      expect([row('there'), row('never')]).toEqual([undefined, undefined]);
    });
  });

  it.each(['before', 'between', 'after'])('comes to the same when events of it come %s', async (when) => {
    await onHub(async (hub) => {
      const { context, provision, refresh, refreshContext, row, store } = hub;
      const { runId } = await provision([{ id: 'd1', status: 'disabled', tags: { v: 1 }, importMode: 'create' }]);
      const twin = { version: 2, tags: { v: 1 }, desired: {}, reported: {} };
      const at = clockTime(new Date(context.now().getTime() - 2_000).toISOString());
      const place = { source: 'MIRROR_EVENTS', partition: '0', sequence: 7, offset: '1', enqueuedAt: at };
      const event = { kind: 'created', hub: HUB, deviceId: 'd1', at, place, twin } as const;
      const come = () => {
        const after = mergeEvent(row('d1'), event, context.now().toISOString());
        if (after !== undefined) store.put(after);
      };
      if (when === 'before') come();
      await handOverRuns(refreshContext, HUB);
      if (when === 'between') come();
      context.advance(20_000);
      await refresh();
      if (when === 'after') come();
      context.advance(20_000);
      await refresh();
      const after = { state: 'present', identity: { status: 'disabled' }, bornAt: at, lastRun: runId };
      expect(row('d1')).toMatchObject({ ...after, twin });
      expect(row('d1')?.wanted).toBeUndefined();
    });
  });

  it('hands over what it has deleted, with the modules that the mirror knows', async () => {
    await onHub(async (hub) => {
      const { client, provision, want, refresh, row, refreshContext } = hub;
      await client.createDevice({ deviceId: 'd1' });
      await client.createModule({ deviceId: 'd1', moduleId: 'm1' });
      await want([{ deviceId: 'd1' }, { deviceId: 'd1', moduleId: 'm1' }]);
      await refresh();
      await provision([{ id: 'd1', importMode: 'delete' }]);
      expect(await handOverRuns(refreshContext, HUB)).toBe(true);
      expect(wanted(hub)).toEqual({ 'd1/': true, 'd1/m1': true });
      await refresh();
      expect([row('d1')?.state, row('d1', 'm1')?.state]).toEqual(['deleted', 'deleted']);
    });
  });

  it('is waited for as long as its record is not final, and handed over whatever it ended as', async () => {
    await onHub(async (hub) => {
      const { context, provision, refreshContext } = hub;
      const { runId } = await provision([{ id: 'd1', importMode: 'create' }]);
      const final = await context.runs.read(runId);
      await setRecord(hub, { ...final, state: 'running' });
      await handOverRuns(refreshContext, HUB);
      expect(wanted(hub)).toEqual({});
      await setRecord(hub, { ...final, state: 'failed', jobs: {}, importSentAt: context.now().toISOString() });
      await handOverRuns(refreshContext, HUB);
      expect(wanted(hub)).toEqual({ 'd1/': false });
    });
  });

  it('that has sent nothing hands over nothing', async () => {
    await onHub(async (hub) => {
      const { context, provision, refreshContext } = hub;
      await provision([{ id: 'd1' }], { dryrun: 'true' });
      await provision([{ id: 'not valid' }], { oninvalidline: 'abort' });
      await handOverRuns(refreshContext, HUB);
      expect(wanted(hub)).toEqual({});
      expect(context.logged.filter((line) => line.includes('hands nothing over'))).toHaveLength(2);
      expect(await readWantedReconcile(context.storage, HUB)).toBeUndefined();
    });
  });

  it('whose lines are gone, or too many, leaves it to a reconcile', async () => {
    await onHub(async (hub) => {
      const { context, provision, refreshContext } = hub;
      const { runId } = await provision([{ id: 'd1', importMode: 'create' }]);
      const effects = { lineCount: MOST_LINES + 1 } as RunEffects;
      await handOverRuns({ ...refreshContext, readEffects: async () => effects }, HUB);
      expect((await readWantedReconcile(context.storage, HUB))?.reason).toContain('20001');
      // To read each of them would take more than a quarter of an hour of what the hub allows.
      await noteEndingRun(context.storage, { ...(await context.runs.read(runId)), runId } as RunBase);
      const deleting = { lineCount: 1_600, deletes: 1_501 } as RunEffects;
      await handOverRuns({ ...refreshContext, readEffects: async () => deleting }, HUB);
      expect((await readWantedReconcile(context.storage, HUB))?.reason).toContain('deletes 1501 identities');
      await noteEndingRun(context.storage, { ...(await context.runs.read(runId)), runId } as RunBase);
      await context.storage.runContainer(runId).delete();
      await handOverRuns(refreshContext, HUB);
      expect((await readWantedReconcile(context.storage, HUB))?.reason).toContain(runId);
      expect(wanted(hub)).toEqual({});
    });
  });

  it('goes on where it was, after the store was away', async () => {
    await onHub(async (hub) => {
      const { provision, refreshContext, store } = hub;
      await provision(Array.from({ length: 1_250 }, (_, at) => ({ id: `d${at}`, importMode: 'create' })));
      let writes = 0;
      const dying = {
        ...store,
        write: async (...asked: Parameters<typeof store.write>) => {
          writes += 1;
          if (writes === 2) throw new StoreUnavailable('It is away.');
          return store.write(...asked);
        },
      };
      await expect(handOverRuns({ ...refreshContext, store: dying }, HUB)).rejects.toThrow(StoreUnavailable);
      expect(Object.keys(wanted(hub))).toHaveLength(1_000);
      const before = store.written();
      await handOverRuns(refreshContext, HUB);
      expect([Object.keys(wanted(hub)).length, store.written() - before]).toEqual([1_250, 250]);
    });
  });

  it('that cannot be read keeps no other and no row waiting, and is handed over once it can', async () => {
    await onHub(async (hub) => {
      const { client, context, provision, refreshContext, refresh, want, row } = hub;
      const runs = [
        await provision([{ id: 'd1', importMode: 'create' }]),
        await provision([{ id: 'd2', importMode: 'create' }]),
      ];
      await client.createDevice({ deviceId: 'd3' });
      await want([{ deviceId: 'd3' }]);
      const { readEffects } = refreshContext;
      Object.assign(refreshContext, {
        readEffects: async (...asked: Parameters<typeof readEffects>) => {
          if (asked[0] === runs[0]?.runId) throw new SyntaxError('Unexpected end of JSON input');
          return readEffects(...asked);
        },
      });
      context.advance(20_000);
      await refresh();
      expect([row('d1'), row('d2')?.state, row('d3')?.state]).toEqual([undefined, 'present', 'present']);
      Object.assign(refreshContext, { readEffects });
      context.advance(20_000);
      await refresh();
      expect(row('d1')?.state).toBe('present');
    });
  });

  it('of work beside provisioning hands over the edge devices whose deployments it has put back', async () => {
    await onHub(async (hub) => {
      const { client, context, refreshContext, want, refresh, row } = hub;
      await client.createDevice({ deviceId: 'edge', capabilities: { iotEdge: true } });
      await want([{ deviceId: 'edge' }]);
      await refresh();
      const runId = '00112233445566778899';
      const staging = context.storage.runContainer(runId);
      await staging.create();
      await writeLines(staging.getBlockBlobClient('rest.ndjson'), [JSON.stringify({ id: 'edge', modules: [] })]);
      const at = context.now().toISOString();
      const rest = [{ part: 'systemModules', blobName: 'rest.ndjson', items: 1 }];
      const record = {
        kind: 'restore',
        version: 1,
        runId,
        hub: HUB,
        request: {},
        jobs: {},
        createdAt: at,
        updatedAt: at,
      };
      await setRecord(hub, { ...record, state: 'completed', finishedAt: at, notes: { rest } });
      await noteEndingRun(context.storage, record as unknown as RunBase);
      await client.createModule({ deviceId: 'edge', moduleId: 'camera' });
      await client.updateTwin({ deviceId: 'edge', moduleId: '$edgeAgent', desired: { a: 1 } });
      await handOverRuns(refreshContext, HUB);
      expect(Object.keys(wanted(hub))).toEqual(['edge/', 'edge/$edgeAgent', 'edge/$edgeHub']);
      context.advance(20_000);
      await refresh();
      expect(row('edge', '$edgeAgent')).toMatchObject({ twin: { desired: { a: 1 } }, lastRun: runId });
      expect(row('edge', 'camera')?.state).toBe('present');
    });
  });

  it('that changes no hub, or knows of none, notes nothing', async () => {
    await onHub(async ({ context }) => {
      for (const kind of ['backup', 'verify', 'plan', 'reconcile'] as const) {
        await noteEndingRun(context.storage, { kind, runId: 'a'.repeat(20), hub: HUB } as unknown as RunBase);
      }
      await noteEndingRun(context.storage, { kind: 'provision', runId: 'a'.repeat(20) } as unknown as RunBase);
    });
  });

  it('whose record is gone or damaged is not waited for', async () => {
    await onHub(async (hub) => {
      const { context, refreshContext } = hub;
      const runId = await dropFile(context, 'damaged/devices.txt', '{"id":"d1"}\n');
      await noteEndingRun(context.storage, { kind: 'provision', runId, hub: HUB } as unknown as RunBase);
      await noteEndingRun(context.storage, {
        kind: 'provision',
        runId: 'f'.repeat(20),
        hub: HUB,
      } as unknown as RunBase);
      await setRecord(hub, { runId, state: 7 });
      await handOverRuns(refreshContext, HUB);
      expect((await readWantedReconcile(context.storage, HUB))?.reason).toContain('damaged');
    });
  });
});

/** A final record changes for nobody: it is written over. */
async function setRecord({ context }: RefreshedHub, record: object): Promise<void> {
  const { runId } = record as RunBase;
  const text = JSON.stringify(record);
  await context.storage.container('hubkeeper-runs').getBlockBlobClient(`${runId}.json`).upload(text, text.length);
}

it('notes are of the hub that they name', async () => {
  await onHub(async ({ context }) => {
    await noteEndingRun(context.storage, { kind: 'undo', runId: 'b'.repeat(20), hub: 'west' } as unknown as RunBase);
    expect(Object.fromEntries(await endedRuns(context.storage))).toMatchObject({ west: ['b'.repeat(20)] });
    await noteBlob(context.storage, `runs/${'b'.repeat(20)}`).delete();
  });
});
