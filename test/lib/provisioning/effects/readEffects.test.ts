import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readEffectsBy } from '../../../../src/lib/provisioning/effects/readEffects.ts';
import type { EffectLine, RunEffects } from '../../../../src/lib/runs/runEffects.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { countingStarter, dropFile, sweepAll } from '../../../helpers/provisioningContext.ts';
import { type SimulatedHub, withSimulatedHub } from '../../../helpers/simulatedHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const onHub = <Result>(work: (hub: SimulatedHub) => Promise<Result>) =>
  withSimulatedHub(azurite.connectionString, work);
const read = ({ context }: SimulatedHub, runId: string): Promise<RunEffects> => readEffectsBy(context)(runId);
const byId = async (effects: RunEffects): Promise<Record<string, EffectLine>> =>
  Object.fromEntries(
    (await Array.fromAsync(effects.lines())).map((line) => [
      line.moduleId === undefined ? line.id : `${line.id}/${line.moduleId}`,
      line,
    ]),
  );

describe('what a run did', () => {
  it('is told line by line, as it was sent, with what became of it', async () => {
    await onHub(async (hub) => {
      const { client } = hub;
      for (const deviceId of ['kept', 'known', 'gone', 'merged', 'odd']) {
        const device = await client.createDevice({
          deviceId,
          status: deviceId === 'gone' ? 'enabled' : 'disabled',
          statusReason: 'as it was',
        });
        await client.updateTwin({ deviceId: device.deviceId, tags: { old: 1 } });
      }
      await client.createModule({ deviceId: 'gone', moduleId: 'valve' });
      await hub.setFaults([{ operation: 'importLine', code: 'ArgumentInvalid', ids: ['odd'] }]);
      const record = await hub.provision([
        { id: 'new', importMode: 'create', tags: { v: 1 } },
        { id: 'known', importMode: 'create' },
        { id: 'kept', tags: { v: 1 } },
        { id: 'gone', importMode: 'delete' },
        { id: 'never', importMode: 'delete' },
        { id: 'merged', importMode: 'updateTwin', tags: { old: null, v: 1 } },
        { id: 'odd', importMode: 'update', tags: { v: 1 } },
        { id: 'edge', importMode: 'create', capabilities: { iotEdge: true } },
        { id: 'leaf', importMode: 'create', parent: 'edge' },
        { id: 'orphan', importMode: 'create', parent: 'nobody' },
        { id: 'new', moduleId: 'valve', importMode: 'create' },
      ]);
      const effects = await read(hub, record.runId);
      expect(effects).toMatchObject({
        runId: record.runId,
        hub: 'default',
        finishedAt: record.finishedAt,
        lineCount: 11,
        deletes: 2,
        preImage: { container: `hubkeeper-run-${record.runId}`, way: 'single', hasRelatives: true },
        configurations: [],
      });
      const lines = await byId(effects);
      const said = Object.fromEntries(
        Object.entries(lines).map(([id, { mode, outcome, applied, parent }]) => [id, [mode, outcome, applied, parent]]),
      );
      expect(said).toEqual({
        new: ['create', 'succeeded', 'yes', undefined],
        known: ['create', 'failed', 'no', undefined],
        kept: ['createOrUpdate', 'succeeded', 'yes', undefined],
        gone: ['delete', 'succeeded', 'yes', undefined],
        never: ['delete', 'unchanged', 'no', undefined],
        merged: ['updateTwin', 'succeeded', 'yes', undefined],
        odd: ['update', 'failed', 'no', undefined],
        edge: ['create', 'succeeded', 'yes', undefined],
        leaf: ['create', 'succeeded', 'yes', 'edge'],
        // It is there, without its parent.
        orphan: ['create', 'failed', 'yes', 'nobody'],
        'new/valve': ['create', 'succeeded', 'yes', undefined],
      });
      // What was filled in is in it; of a line that merges, it is the patch.
      expect(JSON.parse(lines['kept']?.text ?? '')).toMatchObject({ status: 'disabled', statusReason: 'as it was' });
      expect(lines['kept']?.text).toContain('primaryKey');
      expect(JSON.parse(lines['merged']?.text ?? '')).toMatchObject({ tags: { old: null, v: 1 } });
      // As the report has it.
      const outcomes = Object.values(lines).map(({ outcome }) => outcome);
      for (const [outcome, count] of Object.entries(record.outcomes ?? {})) {
        expect(outcomes.filter((each) => each === outcome)).toHaveLength(count);
      }
    });
  });

  it('of which nothing is known, is all in doubt', async () => {
    await onHub(async (hub) => {
      await hub.client.createDevice({ deviceId: 'd1' });
      const { runId } = await hub.provision([{ id: 'd1', tags: { v: 1 } }]);
      await setRecord(hub, runId, { jobs: {}, importSentAt: hub.context.now().toISOString(), state: 'failed' });
      const { d1 } = await byId(await read(hub, runId));
      expect(d1).toMatchObject({ outcome: 'unconfirmed', applied: 'maybe' });
    });
  });

  it('includes configurations, as they were and as they were sent', async () => {
    await onHub(async (hub) => {
      const content = { deviceContent: { 'properties.desired.a': { b: 1 } } };
      const was = { id: 'known', schemaVersion: '1.0', content, targetCondition: "tags.v='1'", priority: 1 };
      await hub.client.createConfiguration({ ...was, metricQueries: { all: 'SELECT deviceId FROM devices' } });
      const { runId } = await hub.provision([{ id: 'd1' }], undefined, [
        { ...was, priority: 5 },
        { ...was, id: 'made' },
        { ...was, id: 'other', content: {} },
      ]);
      const { configurations } = await read(hub, runId);
      expect(configurations).toEqual([
        {
          id: 'known',
          applied: 'yes',
          before: expect.objectContaining({ priority: 1, metricQueries: { all: 'SELECT deviceId FROM devices' } }),
          sent: expect.objectContaining({ priority: 5 }),
        },
        { id: 'made', applied: 'yes', sent: expect.objectContaining({ id: 'made', priority: 1 }) },
      ]);
    });
  });

  it('is told without its pre-image to whoever needs none, also of a run that has taken none', async () => {
    await onHub(async (hub) => {
      await hub.client.createDevice({ deviceId: 'd1' });
      const metadata = { backupfirst: 'never', confirm: hub.client.hubName };
      const { runId } = await hub.provision([{ id: 'd1', importMode: 'delete' }], metadata);
      const effects = await readEffectsBy(hub.context)(runId, { preImage: false });
      expect(effects).not.toHaveProperty('preImage');
      expect(await byId(effects)).toMatchObject({ d1: { mode: 'delete', applied: 'yes' } });
    });
  });

  it('of a run that only created has no pre-image, and is kept as long as others', async () => {
    await onHub(async (hub) => {
      const { context } = hub;
      const { runId } = await hub.provision([{ id: 'd1', importMode: 'create' }]);
      const { runId: dry } = await hub.provision([{ id: 'd2', importMode: 'create' }], { dryrun: 'true' });
      expect(await read(hub, runId)).not.toHaveProperty('preImage');
      const isThere = (id: string) => context.storage.runContainer(id).exists();
      context.advance((context.settings.stagingDays + 1) * 86_400_000);
      await sweepAll(context, countingStarter());
      expect([await isThere(runId), await isThere(dry)]).toEqual([true, false]);
      context.advance((context.settings.undoDays + 1) * 86_400_000);
      await sweepAll(context, countingStarter());
      expect(await isThere(runId)).toBe(false);
      await expect(read(hub, runId)).rejects.toMatchObject({ code: 'undoGone' });
    });
  });
});

type Refused = readonly [what: string, make: (hub: SimulatedHub) => Promise<string>, code: string, says: RegExp];

describe('a run that cannot be undone is named, with what can be done', () => {
  it.each<Refused>([
    ['that there is not', async () => 'f'.repeat(20), 'undoUnknownRun', /no run ffff/],
    [
      'that has not ended',
      async ({ context }: SimulatedHub) => dropFile(context, 'waiting/devices.txt', '{"id":"d1"}\n'),
      'undoNotFinal',
      /has not ended/,
    ],
    [
      'that was a dry run',
      async (hub: SimulatedHub) => (await hub.provision([{ id: 'd1' }], { dryrun: 'true' })).runId,
      'undoNothing',
      /dry run/,
    ],
    [
      'that was refused',
      async (hub: SimulatedHub) => (await hub.provision([{ id: 'not valid' }], { oninvalidline: 'abort' })).runId,
      'undoNothing',
      /refused and has sent nothing/,
    ],
    [
      'without a pre-image',
      async (hub: SimulatedHub) => {
        const metadata = { backupfirst: 'never', confirm: hub.client.hubName };
        return (await hub.provision([{ id: 'd1', importMode: 'delete' }], metadata)).runId;
      },
      'undoNoPreImage',
      /backupFirst never/,
    ],
    ...['check.json', 'the pre-image', 'the lines', 'the container'].map(
      (what): Refused => [
        `that has lost ${what}`,
        async (hub: SimulatedHub) => {
          const { runId } = await hub.provision([{ id: 'd1' }]);
          const container = hub.context.storage.runContainer(runId);
          if (what === 'the container') await container.delete();
          else {
            const name = {
              'check.json': /^check/,
              'the pre-image': /^pre-image-.*txt/,
              'the lines': /^(devices|filled)-/,
            };
            for await (const blob of container.listBlobsFlat()) {
              if (name[what as keyof typeof name].test(blob.name)) await container.deleteBlob(blob.name);
            }
          }
          return runId;
        },
        'undoGone',
        /UNDO_DAYS/,
      ],
    ),
    [
      'whose alias is another hub now',
      async (hub: SimulatedHub) => {
        const { runId } = await hub.provision([{ id: 'd1' }]);
        Object.assign(hub.client, { hubName: 'another' });
        return runId;
      },
      'undoOtherHub',
      /default is another now/,
    ],
    [
      'whose hub is not configured any more',
      async (hub: SimulatedHub) => {
        const { runId } = await hub.provision([{ id: 'd1' }]);
        await setRecord(hub, runId, { hub: 'west' });
        return runId;
      },
      'undoOtherHub',
      /west, which is not configured/,
    ],
  ])('%s', async (_what, make, code, says) => {
    await onHub(async (hub) => {
      const runId = await make(hub);
      await expect(read(hub, runId)).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
    });
  });
});

/** A final record changes for nobody: it is written over. */
async function setRecord({ context }: SimulatedHub, runId: string, change: object): Promise<void> {
  const blob = context.storage.container('hubkeeper-runs').getBlockBlobClient(`${runId}.json`);
  const text = JSON.stringify({ ...(await context.runs.read(runId)), ...change });
  await blob.upload(text, text.length);
}
