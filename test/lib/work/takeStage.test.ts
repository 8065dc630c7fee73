import { beforeEach, describe, expect, it } from 'vitest';

import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { restartIfLost } from '../../../src/lib/runs/restartRun.ts';
import type { StageInput, StageReply } from '../../../src/lib/work/stage.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import { askWorkTurn, failWork, type KindsOfWork, takeStages } from '../../../src/lib/work/takeStage.ts';
import type { WorkContext, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { hubError } from '../../helpers/jobHub.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';

const HOUR_MS = 60 * 60_000;

let context: TestContext;
let work: WorkContext;
let runId: string;
let worked: StageInput[];

beforeEach(async () => {
  const { connectionString } = await startAzurite();
  context = testContext(connectionString, { hub: {} as RegistryClient });
  work = workContext(context);
  worked = [];
  runId = (await startWork(work, countingStarter(), { kind: 'plan', hub: 'default', request: {} })).runId;
});

/** Takes the stage `one`, which replies so; `two` ends the run, `turn` needs the turn of the hub. */
function take(reply: StageReply | Error, input: Partial<StageInput> = {}, flags: object = {}) {
  const one = async (_context: WorkContext, _record: WorkRun, given: StageInput): Promise<StageReply> => {
    worked.push(given);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  const kinds: KindsOfWork = {
    plan: {
      first: 'one',
      stages: {
        one: { work: one, ...flags },
        two: { work: async () => ({ end: 'completed', fields: { result: { done: true } } }) },
        turn: { work: one, turn: true },
        apply: { work: async () => ({ wait: 3 }), whenCancelled: true },
      },
    },
  };
  return takeStages(work, kinds, { runId, attempt: 1, stage: 'one', ...input });
}

const change = (changes: Partial<WorkRun>) => work.runs.update(runId, (run) => ({ ...run, ...changes }));
const record = () => work.runs.read(runId);
const called = (input: object) => ({ do: 'call', activity: 'workStage', input: { runId, attempt: 1, ...input } });

describe('a stage', () => {
  it.each<[string, StageReply, object]>([
    ['goes on at once, in the same activity', { go: 'two' }, { do: 'ended', state: 'completed' }],
    ['comes back after a while', { wait: 7, with: { tries: 2 } }, { do: 'wait', seconds: 7, next: { do: 'call' } }],
    ['goes on elsewhere after a while', { wait: 1, go: 'two' }, { do: 'wait', next: { input: { stage: 'two' } } }],
    [
      'waits for the turn where that is needed',
      { go: 'turn' },
      { do: 'turn', next: { input: { stage: 'turn' } }, ask: { activity: 'workTurn', input: { stage: 'turn' } } },
    ],
    [
      'keeps the turn while it watches a job',
      { wait: 2, go: 'turn', with: { since: 5, lookAt: 6 } },
      { do: 'wait', next: { do: 'call', keepTurn: true, input: { stage: 'turn', since: 5, lookAt: 6 } } },
    ],
    ['gives up the turn', { go: 'two', leaveTurn: true }, { do: 'leave', next: { input: { stage: 'two' } } }],
    [
      'takes from the budget',
      { take: 25, itemsPerMinute: 100 },
      { do: 'pace', items: 25, itemsPerMinute: 100, next: { do: 'call', input: { stage: 'one' } } },
    ],
    ['ends the run', { end: 'cancelled' }, { do: 'ended', state: 'cancelled' }],
  ])('%s', async (_, reply, step) => {
    expect(await take(reply)).toMatchObject(step);
    expect(worked).toHaveLength(1);
  });

  it('is told what was granted once, and asks for more without it', async () => {
    const step = await take({ take: 5, itemsPerMinute: 60 }, { granted: 25, spreadMs: 900, tries: 1 });
    expect(worked[0]).toMatchObject({ granted: 25, spreadMs: 900 });
    expect(step).toEqual({ do: 'pace', items: 5, itemsPerMinute: 60, next: called({ stage: 'one', tries: 1 }) });
  });

  it('begins with the place of the run in the queue of its hub', async () => {
    const { createdAt: droppedAt } = (await record()) ?? {};
    expect(await take({ go: 'two' }, { stage: 'begin' })).toEqual({
      do: 'place',
      hub: 'default',
      ticket: { runId, droppedAt, name: 'plan' },
      next: called({ stage: 'one' }),
    });
    expect(await record()).toMatchObject({ state: 'running', startedAt: expect.any(String) });
  });

  it('is not taken while the run is suspended, but for one that sees to it', async () => {
    await change({ suspendedAt: context.now().toISOString() });
    expect(await take({ go: 'two' })).toMatchObject({
      do: 'suspended',
      leave: true,
      next: { input: { stage: 'one' } },
    });
    expect(worked).toEqual([]);
    expect(await take({ wait: 3 }, {}, { whileSuspended: true })).toMatchObject({ do: 'wait', seconds: 3 });
  });

  it('asks for the turn anew after the run was suspended', async () => {
    await change({ suspendedAt: context.now().toISOString() });
    const step = await take({ wait: 1 }, { stage: 'turn' });
    if (!('do' in step) || step.do !== 'suspended') throw new Error('It is not suspended.');
    const { suspendedAt: _, ...resumed } = (await record()) as WorkRun;
    await work.runs.update(runId, () => resumed as WorkRun);
    expect(await take({ wait: 1 }, step.next.input as Partial<StageInput>)).toMatchObject({ do: 'turn' });
    expect(worked).toEqual([]);
  });

  it('is not taken once the run is cancelled, but for one that sees to it; a suspended run ends, too', async () => {
    const at = context.now().toISOString();
    await change({ cancelRequestedAt: at, suspendedAt: at });
    expect(await take({ wait: 3 }, {}, { whenCancelled: true })).toMatchObject({ do: 'wait' });
    expect(await take({ go: 'two' })).toEqual({ do: 'ended', state: 'cancelled' });
    expect(await record()).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(worked).toHaveLength(1);
  });

  it('of a cancelled run that has begun to apply its lines leads there, also when the run was started anew', async () => {
    await change({ cancelRequestedAt: context.now().toISOString(), notes: { applying: true } });
    expect(await take({ go: 'two' })).toMatchObject({ do: 'wait', next: { input: { stage: 'apply' } } });
    expect(worked).toEqual([]);
    expect((await record())?.state).not.toBe('cancelled');
  });

  it('waits out trouble of the hub for an hour, and tells of it', async () => {
    const trouble = hubError('ServiceUnavailable', { retryable: true });
    const step = await take(trouble, { tries: 4, granted: 9, spreadMs: 1 });
    expect(step).toEqual({ do: 'wait', seconds: 10, next: called({ stage: 'one', tries: 4 }) });
    expect((await record())?.waiting).toMatchObject({ kind: 'trouble', reason: 'the hub said ServiceUnavailable' });
    await take({ wait: 1 });
    expect((await record())?.waiting).toBeUndefined();
    await take(trouble);
    context.advance(HOUR_MS + 1);
    expect(await take(trouble)).toEqual({ do: 'ended', state: 'failed' });
    expect(await record()).toMatchObject({ state: 'failed', error: { code: 'ServiceUnavailable' } });
  });

  it('ends the run with what the hub refuses for good, and is retried after any other error', async () => {
    await expect(take(new Error('storage'))).rejects.toThrow('storage');
    expect(await take(hubError('Forbidden'))).toEqual({ do: 'ended', state: 'failed' });
    expect(await take({ go: 'two' })).toMatchObject({ do: 'ended' });
    expect(worked).toHaveLength(2);
  });

  it('that fails behind another is left to a call of its own', async () => {
    const failing: KindsOfWork = {
      plan: {
        first: 'one',
        stages: {
          one: { work: async () => ({ go: 'two' }) },
          two: { work: async () => Promise.reject(new Error('storage is away')) },
        },
      },
    };
    const step = await takeStages(work, failing, { runId, attempt: 1, stage: 'one' });
    expect(step).toEqual(called({ stage: 'two' }));
    await expect(takeStages(work, failing, { runId, attempt: 1, stage: 'two' })).rejects.toThrow('storage is away');
  });

  it('that is of our own making wrong is told as such, after a second try', async () => {
    expect(await take(new TypeError('x is not a function'))).toMatchObject({
      fault: expect.stringContaining('x is not'),
    });
    expect(worked).toHaveLength(2);
  });
});

describe('work that waits for its turn', () => {
  const ask = () =>
    askWorkTurn(work, { runId, position: 2, stage: 'one' }, () => ({ stateOf: async () => 'live' as const }));

  it('says how many are ahead, and gives up after TURN_TIMEOUT_HOURS', async () => {
    expect(await ask()).toMatchObject({ do: 'askAgain', standing: { position: 2 } });
    expect(await record()).toMatchObject({ phase: 'turn', waiting: { kind: 'turn', position: 2 } });
    context.advance(24 * HOUR_MS + 1);
    expect(await ask()).toEqual({ do: 'ended', state: 'failed' });
    expect(await record()).toMatchObject({
      error: { code: 'turnTimeout', message: expect.stringContaining('2 runs') },
    });
  });

  it('ends when it is cancelled', async () => {
    await change({ cancelRequestedAt: context.now().toISOString() });
    expect(await ask()).toEqual({ do: 'ended', state: 'cancelled' });
    expect(await ask()).toMatchObject({ do: 'ended' });
  });
});

it('an end that holds no more does not end the work', async () => {
  const late: KindsOfWork = {
    plan: { first: 'late', stages: { late: { work: async () => ({ end: 'failed', unless: () => true }) } } },
  };
  await takeStages(work, late, { runId, attempt: 1, stage: 'late' });
  expect((await record())?.state).not.toBe('failed');
});

describe('work that fails while a run applies its lines', () => {
  /** The run that applies them: a file in the container of the other. */
  async function applying(more: Partial<ProvisionRun> = {}): Promise<string> {
    const container = context.storage.runContainer(runId);
    await container.createIfNotExists();
    await container.getBlockBlobClient('lines.txt').upload('{}', 2);
    const file = {
      kind: 'restore',
      hub: 'default',
      container: container.containerName,
      blobName: 'lines.txt',
    } as const;
    const applied = await work.applyFile({ ...file, options: {} });
    await context.runs.update(applied, (run) => ({ ...run, ...more }));
    return applied;
  }
  const fail = () => failWork(work, { runId, message: 'no luck' });
  const at = '2026-01-02T03:04:05.678Z';

  it.each<[string, Partial<ProvisionRun>, (applied: string) => Partial<WorkRun>]>([
    ['is under way', { state: 'running' }, (appliedBy) => ({ appliedBy })],
    ['is suspended', { state: 'running', suspendedAt: at }, (appliedBy) => ({ appliedBy })],
    ['was begun, and not noted', {}, () => ({ notes: { applying: true } })],
  ])('cancels it, and names it: it %s', async (_, run, noted) => {
    const applied = await applying(run);
    await change(noted(applied));
    await fail();
    expect((await record())?.error).toMatchObject({ code: 'stageFailed', message: expect.stringContaining(applied) });
    const cancelled = await context.runs.read(applied);
    expect(cancelled?.cancelRequestedAt).toBeDefined();
    expect(cancelled?.suspendedAt).toBeUndefined();
  });

  it.each<[string, () => Promise<string>]>([
    ['has ended', () => applying({ state: 'completed' })],
    ['has no record any more', async () => 'a'.repeat(20)],
    [
      'has a record that is damaged',
      async () => {
        const applied = await applying();
        await context.storage.container('hubkeeper-runs').getBlockBlobClient(`${applied}.json`).upload('?', 1);
        return applied;
      },
    ],
  ])('says nothing of one that %s', async (_, make) => {
    const appliedBy = await make();
    await change({ appliedBy });
    await fail();
    expect(await record()).toMatchObject({ state: 'failed', error: { code: 'stageFailed' } });
    expect((await record())?.error?.message).not.toContain(appliedBy);
  });

  it('cancels it also where a stage ends the run, or its orchestration was lost again and again', async () => {
    const appliedBy = await applying();
    await change({ appliedBy });
    await take(hubError('Forbidden'));
    expect((await context.runs.read(appliedBy))?.cancelRequestedAt).toBeDefined();

    const other = await startWork(work, countingStarter(), { kind: 'plan', hub: 'default', request: {} });
    await work.runs.update(other.runId, (run) => ({ ...run, startClaim: { at, attempt: 5 }, appliedBy }));
    await context.runs.update(appliedBy, ({ cancelRequestedAt: _, ...run }) => run);
    expect(await restartIfLost(work, countingStarter(), other.runId)).toMatchObject({ reason: 'gaveUp' });
    expect((await context.runs.read(appliedBy))?.cancelRequestedAt).toBeDefined();
  });
});

it('work whose stages failed again and again has failed, without secrets', async () => {
  await failWork(work, { runId, message: 'no luck with SharedAccessKey=c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0' });
  const run = await record();
  expect(run).toMatchObject({ state: 'failed', error: { code: 'stageFailed' } });
  expect(JSON.stringify(run)).not.toContain('c2VjcmV0');
});
