import { beforeEach, expect, it } from 'vitest';

import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { demandAloneOnHub } from '../../../src/lib/work/aloneOnHub.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkContext, WorkKind, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, dropFile, type TestContext, testContext } from '../../helpers/provisioningContext.ts';

let context: TestContext;
let work: WorkContext;

beforeEach(async () => {
  context = testContext((await startAzurite()).connectionString);
  work = workContext(context);
});

async function under(kind: WorkKind, change: Partial<WorkRun> = {}, hub = 'default'): Promise<WorkRun> {
  const { runId } = await startWork(work, countingStarter(), { kind, hub, request: {} });
  return work.runs.update(runId, (run) => ({ ...run, state: 'running', ...change }));
}

/** The run that applies lines of another. */
async function applying(change: Partial<ProvisionRun>): Promise<string> {
  const runId = await dropFile(context, 'devices.txt', '{"id":"a"}');
  await context.runs.update(runId, (run) => ({ ...run, hub: 'default', state: 'running', ...change }));
  return runId;
}

it.each<WorkKind>(['restore', 'undo', 'deleteAll', 'drill'])(
  'nothing else changes a hub beside a run of kind %s',
  async (kind) => {
    const { runId } = await under(kind, { suspendedAt: context.now().toISOString() });
    await expect(demandAloneOnHub(work, 'default')).rejects.toMatchObject({
      code: 'hubBeingChanged',
      message: expect.stringContaining(runId),
      action: expect.stringContaining(`hubkeeper cancel ${runId}`),
    });
  },
);

it.each<[string, () => Promise<unknown>]>([
  ['changes nothing', () => under('plan')],
  ['only reads', () => under('backup')],
  ['is of another hub', () => under('restore', {}, 'west')],
  ['has ended', () => under('restore', { state: 'completed' })],
  ['applies a file that was dropped', () => applying({})],
  ['has applied the lines of another to its end', () => applying({ appliedFor: 'undo', state: 'cancelled' })],
])('a run that %s is in nobody’s way', async (_, make) => {
  await make();
  await demandAloneOnHub(work, 'default');
});

it('of a run and the one that applies its lines the first is named, and the other as long as it goes on', async () => {
  const applied = await applying({ appliedFor: 'undo' });
  const { runId } = await under('undo', { appliedBy: applied });
  await expect(demandAloneOnHub(work, 'default')).rejects.toThrow(`${runId} (an undo)`);
  await work.runs.update(runId, (run) => ({ ...run, state: 'failed' }));
  await expect(demandAloneOnHub(work, 'default')).rejects.toThrow(`${applied} (the lines of an undo)`);
});

it('of two that were begun at a time the earlier goes on', async () => {
  const first = await under('restore', { createdAt: '2026-01-02T03:04:05.678Z' });
  const second = await under('undo', { createdAt: '2026-01-02T03:04:05.679Z' });
  // Its own lines are none of another.
  await applying({ appliedFor: 'restore', createdAt: '2026-01-02T03:04:06.000Z' });
  await demandAloneOnHub(work, 'default', first);
  await expect(demandAloneOnHub(work, 'default', second)).rejects.toThrow(first.runId);
  const twin = { ...first, runId: 'f'.repeat(20) };
  await expect(demandAloneOnHub(work, 'default', twin)).rejects.toThrow(first.runId);
});
