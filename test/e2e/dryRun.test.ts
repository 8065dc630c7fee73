import { afterAll, describe, expect, it } from 'vitest';

import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';

const shared = shareStack({});
afterAll(() => shared.stop());

const DRY = { ...NOW, dryrun: 'true' };
const file = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** One line for each thing that can happen, for devices that `before` has made. */
const before = [
  ...['exists', 'bare', 'twin', 'old', 'stale', 'sleepy'].map((id) => ({ id, importMode: 'create' })),
  { id: 'host', importMode: 'create', capabilities: { iotEdge: true } },
  { id: 'host', moduleId: 'm', importMode: 'create' },
];
const lines = [
  { id: 'new', importMode: 'create' },
  { id: 'exists', importMode: 'create' },
  { id: 'bare', tags: { seen: 1 } },
  { id: 'sleepy', status: 'disabled' },
  { id: 'gone', importMode: 'update' },
  { id: 'twin', importMode: 'updateTwin', tags: { seen: 1 } },
  { id: 'old', importMode: 'delete' },
  { id: 'nothing', importMode: 'delete' },
  { id: 'stale', importMode: 'deleteIfMatchETag', eTag: 'bm90IGl0cyBvd24=' },
  { id: 'child', importMode: 'create', parent: 'host' },
  { id: 'orphan', importMode: 'create', parent: 'nobody' },
  { id: 'host', moduleId: 'm', importMode: 'update', tags: { seen: 1 } },
  { id: 'new', moduleId: 'm' },
  { id: 'nowhere', moduleId: 'm' },
];
const effects = {
  created: 4,
  overwritten: 3,
  twinUpdated: 1,
  deleted: 1,
  unchanged: 1,
  failsExists: 1,
  failsMissing: 1,
  failsDeviceMissing: 1,
  failsEtag: 1,
};

/** Drops a file dry, and then for real: what was said is what happens, and only then. */
async function planAndRun(
  stack: TestStack,
  name: string,
  text: string,
): Promise<{ dry: ProvisionRun; real: ProvisionRun }> {
  const registry = readRegistry(stack.data);
  await stack.drop(`${name}-dry/devices.txt`, text, DRY);
  const dry = await stack.finalRecord(`${name}-dry/devices.txt`);
  expect(readRegistry(stack.data)).toEqual(registry);
  expect(dry.plan).toBeDefined();
  await stack.drop(`${name}/devices.txt`, text, { ...NOW, retryminutes: '0' });
  const real = await stack.finalRecord(`${name}/devices.txt`);

  const reasons = new Map((await stack.rows(dry)).map(({ line, reason }) => [line, reason]));
  for (const row of await stack.rows(real)) {
    const reason = reasons.get(row.line) ?? '';
    const expected = /would fail|Its parent does not exist/.test(reason)
      ? 'failed'
      : reason.includes('nothing would be deleted')
        ? 'unchanged'
        : 'succeeded';
    expect([row.line, row.deviceId, reason, row.outcome]).toEqual([row.line, row.deviceId, reason, expected]);
  }
  return { dry, real };
}

describe('a dry run', () => {
  it('of few lines says what the real run then does, reads without an export, and waits for nobody', async () => {
    await shared.use(async (stack) => {
      await stack.drop('before/devices.txt', file(before));
      expect(await stack.finalRecord('before/devices.txt')).toMatchObject({ state: 'completed' });
      const { importsCreated } = (await stack.hubState()).jobs;

      // The hub is busy with somebody else's job, and runs of ours wait for it.
      const busy = { method: 'POST', body: JSON.stringify({ durationMs: 6_000 }) };
      await fetch(`${stack.hubAdminUrl}/jobs`, { ...busy, headers: { 'content-type': 'application/json' } });
      await stack.drop('waits/devices.txt', file([{ id: 'waits' }]));
      await stack.until('a run to wait for the hub', async () => (await stack.recordOf('waits/devices.txt'))?.waiting);
      await stack.drop('at-once/devices.txt', file(lines), DRY);
      const atOnce = await stack.finalRecord('at-once/devices.txt');
      expect((await stack.recordOf('waits/devices.txt'))?.state).toBe('running');
      expect(atOnce).toMatchObject({
        state: 'completed',
        outcomes: { skipped: lines.length },
        plan: { effects, disabled: 1, lackingParent: 1 },
      });
      expect(await stack.finalRecord('waits/devices.txt')).toMatchObject({ state: 'completed' });

      const { dry, real } = await planAndRun(stack, 'few', file(lines));
      expect(dry.plan).toEqual(atOnce.plan);
      expect(dry).not.toHaveProperty('jobs.import');
      expect(dry).not.toHaveProperty('jobs.export');
      expect(dry).not.toHaveProperty('preImage');
      expect(real.outcomes).toMatchObject({ failed: 5, unchanged: 1, succeeded: 8 });
      expect((await stack.hubState()).jobs).toMatchObject({ exportsCreated: 0, importsCreated: importsCreated + 2 });
      expect(await (await fetch(`${stack.apiUrl}/runs/${dry.runId}`)).json()).toEqual(dry);
      const report = JSON.parse(await stack.read(dry.report?.container ?? '', dry.report?.json ?? ''));
      expect(report.run.plan).toEqual(dry.plan);
    });
  });

  it('of many lines says it from one export, in its turn; deletes of what is not there are no danger', async () => {
    await shared.use(async (stack) => {
      const fleet = ids('d', 1_500).map((id) => ({ id, importMode: 'create' }));
      await stack.drop('before/devices.txt', file([...before, ...fleet]));
      expect(await stack.finalRecord('before/devices.txt')).toMatchObject({ state: 'completed' });

      // 3 of 500 exist.
      const deletes = [...ids('d', 3), ...ids('no', 497)].map((id) => ({ id, importMode: 'delete' }));
      const { dry, real } = await planAndRun(stack, 'many', file([...lines, ...deletes]));
      const expected = { ...effects, deleted: effects.deleted + 3, unchanged: effects.unchanged + 497 };
      expect(dry).toMatchObject({
        state: 'completed',
        jobs: { export: { status: 'completed' } },
        plan: { effects: expected, disabled: 1, lackingParent: 1 },
      });
      expect(dry).not.toHaveProperty('jobs.import');
      expect(real.outcomes).toMatchObject({ failed: 5, unchanged: 498, succeeded: 11 });
      expect((await stack.hubState()).jobs).toMatchObject({ overlapped: false });

      // 200 of 400 exist: the real run is stopped with numbers, and a dry run tells so.
      const much = file([...ids('d', 203), ...ids('no', 197)].map((id) => ({ id, importMode: 'delete' })));
      const { devices } = await stack.hubState();
      const message = `The file would delete 200 of the hub's ${devices.toLocaleString('en-US')} devices: nothing was sent to the hub.`;
      await stack.drop('much-dry/devices.txt', much, DRY);
      const warned = await stack.finalRecord('much-dry/devices.txt');
      expect(warned).toMatchObject({ state: 'refused', error: { code: 'confirmationNeeded', message } });
      expect(warned.plan?.effects).toMatchObject({ deleted: 200, unchanged: 200 });
      const { importsCreated } = (await stack.hubState()).jobs;
      await stack.drop('much/devices.txt', much);
      const stopped = await stack.finalRecord('much/devices.txt');
      expect(stopped).toMatchObject({
        state: 'refused',
        error: { code: 'confirmationNeeded', message },
        outcomes: { skipped: 400 },
      });
      expect(stopped).not.toHaveProperty('jobs.import');
      expect(stopped).not.toHaveProperty('preImage');
      expect(await stack.hubState()).toMatchObject({ devices, jobs: { importsCreated } });
      // It has given back its turn.
      await stack.drop('after/devices.txt', file([{ id: 'after' }]));
      expect(await stack.finalRecord('after/devices.txt')).toMatchObject({ state: 'completed' });
    });
  });
});
