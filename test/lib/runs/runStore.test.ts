import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRunOfDrop } from '../../../src/lib/provisioning/drop/startRun.ts';
import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { awaitTurn } from '../../../src/lib/provisioning/steps/awaitTurn.ts';
import { EFFECTS, type Effect } from '../../../src/lib/registryLines/whatWouldHappen.ts';
import { RunDamaged } from '../../../src/lib/runs/parseRunRecord.ts';
import { readText } from '../../../src/lib/storage/readText.ts';
import { RUNS_CONTAINER } from '../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { countingStarter, sweepAll, type TestContext, testContext } from '../../helpers/provisioningContext.ts';

let azurite: Azurite;
let context: TestContext;
let boxes = 0;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(async () => {
  context = testContext(azurite.connectionString, { environment: { PROVISION_CONTAINER: `records${++boxes}` } });
  await context.storage.container(context.settings.provisionContainer).create();
  for await (const { runId } of context.runs.ids()) {
    await context.storage.container(RUNS_CONTAINER).deleteBlob(`${runId}.json`);
  }
});

async function drop(name: string): Promise<string> {
  const text = '{"id":"d1"}';
  const box = context.storage.container(context.settings.provisionContainer);
  await box.getBlockBlobClient(name).upload(text, text.length);
  return (await startRunOfDrop(context, countingStarter(), name)).runId ?? '';
}

const recordBlob = (runId: string) => context.storage.container(RUNS_CONTAINER).getBlockBlobClient(`${runId}.json`);

/** Writes a text in place of a record, as a person or a broken disk would: without its metadata. */
async function damage(runId: string, change: (record: ProvisionRun) => string): Promise<string> {
  const text = change(JSON.parse((await readText(recordBlob(runId))).text) as ProvisionRun);
  await recordBlob(runId).upload(text, Buffer.byteLength(text));
  return text;
}

const plannedNothing = () => Object.fromEntries(EFFECTS.map((effect) => [effect, 0])) as Record<Effect, number>;

const withField = (name: string, value: unknown) => (record: ProvisionRun) =>
  JSON.stringify({ ...record, [name]: value });

const DAMAGES: readonly (readonly [string, (record: ProvisionRun) => string, string])[] = [
  ['{half', () => '{half', 'it is not JSON'],
  ['nothing', () => '', 'it is not JSON'],
  ['null', () => 'null', 'it is no JSON object'],
  ['[]', () => '[]', 'it is no JSON object'],
  ['{}', () => '{}', 'it is of a version that this version of HubKeeper does not know'],
  ['of a later version', withField('version', 3), 'it is of a version'],
  ['of another run', withField('runId', '0123456789abcdef0123'), 'it is not about this run'],
  ['without a drop', withField('drop', undefined), 'its "drop" is missing or of a wrong form'],
  ['with a drop that is a word', withField('drop', 'devices.txt'), 'its "drop" is missing or of a wrong form'],
  ['with a state that is none', withField('state', 'done'), 'its "state" is missing or of a wrong form'],
  ['with a number for a time', withField('createdAt', 7), 'its "createdAt" is missing or of a wrong form'],
  ['with options that are a list', withField('options', []), 'its "options" is of a wrong form'],
  [
    'with a job without an id',
    withField('jobs', { import: { status: 'running' } }),
    'its "jobs" is missing or of a wrong form',
  ],
  ['with a word for a yes', withField('importClosed', 'no'), 'its "importClosed" is of a wrong form'],
  ['with a plan without counts', withField('plan', { effects: 'all' }), 'its "plan" is of a wrong form'],
  ['with outcomes that are words', withField('outcomes', { failed: 'two' }), 'its "outcomes" is of a wrong form'],
];

describe('a damaged record', () => {
  it.each(DAMAGES)('(%s) is listed as damaged, stops nothing, and is left as it is', async (_what, change, says) => {
    const broken = await drop('a/devices.txt');
    const other = await drop('b/devices.txt');
    const text = await damage(broken, change);
    context.advance(60_000);

    const { records, damaged } = await context.runs.survey();
    expect(records.map(({ runId }) => runId)).toEqual([other]);
    expect(damaged).toMatchObject([{ runId: broken, damaged: { code: 'recordDamaged' } }]);
    expect(damaged[0]?.damaged.message).toContain(says);
    expect(damaged[0]?.damaged.action).toContain(`hubkeeper-runs/${broken}.json`);

    const starter = countingStarter();
    const swept = await sweepAll(context, starter);
    expect(swept).toMatchObject({ started: [], restarted: [other] });
    expect(starter.starts).toEqual([other]);
    expect(await startRunOfDrop(context, starter, 'a/devices.txt')).toEqual({
      started: false,
      reason: 'damaged',
      runId: broken,
    });

    await expect(context.runs.read(broken)).rejects.toThrow(RunDamaged);
    await expect(context.runs.update(broken, (record) => record)).rejects.toThrow(RunDamaged);
    expect((await readText(recordBlob(broken))).text).toBe(text);
    expect(starter.starts).toEqual([other]);
  });

  it('of a silent holder of the turn does not keep others waiting', async () => {
    const holder = await drop('a/devices.txt');
    const waiter = await drop('b/devices.txt');
    await damage(holder, () => '{half');
    const instances = { stateOf: async () => 'gone' as const };
    expect(await awaitTurn(context, instances, { runId: waiter, position: 1, silentHolder: holder })).toMatchObject({
      status: 'wait',
      next: { evict: holder },
    });
  });

  it('is told from one that is fine, with all that a run may note', async () => {
    const runId = await drop('a/devices.txt');
    const job = { jobId: 'j', status: 'running', progress: 5, createdAt: 'x', deadline: 'y', ambiguous: true as const };
    const at = context.now().toISOString();
    const record = await context.runs.update(runId, (current) => ({
      ...current,
      state: 'running',
      phase: 'retry',
      startedAt: at,
      suspendedMs: 5,
      waiting: { since: at, kind: 'busy', reason: 'r' },
      jobs: { import: job, export: { ...job, epoch: '1.1' } },
      progress: { part: 'devices', lines: 5, left: 2 },
      preImage: { container: 'c', blobName: 'b', epoch: '1.1' },
      kept: { status: 1 },
      plan: { effects: plannedNothing(), disabled: 0, lackingParent: 0 },
      importSentAt: at,
      importClosed: true,
      roundsOpened: true,
      stagingLost: { at, what: 'a blob', times: 1, isSent: true },
      configurations: { lines: 1, accepted: 1, rejected: 0 },
    }));
    expect(await context.runs.read(runId)).toEqual(record);
  });
});
