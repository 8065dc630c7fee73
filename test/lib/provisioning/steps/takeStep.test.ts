import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { RunInstances } from '../../../../src/lib/hubJobs/askAgain.ts';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import type { StepName } from '../../../../src/lib/provisioning/steps/flow.ts';
import { STEP_NAMES } from '../../../../src/lib/provisioning/steps/flow.ts';
import { takeStep, takeSteps } from '../../../../src/lib/provisioning/steps/takeStep.ts';
import type { ImportExportJob, RegistryClient } from '../../../../src/lib/registry/index.ts';
import type { Step } from '../../../../src/lib/runs/step.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let context: TestContext;
let files = 0;
let hubJob: Pick<ImportExportJob, 'status'> | undefined;

const hub = { hubName: 'east', getJob: async () => hubJob } as unknown as RegistryClient;
const nobody = (): RunInstances => ({ stateOf: async () => 'gone' });

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(() => {
  context = testContext(azurite.connectionString, { hub });
  hubJob = undefined;
});

/** A run of a dropped file, of which the record says `change`. */
async function dropped(change: Partial<ProvisionRun>): Promise<string> {
  const runId = await dropFile(context, `take-${++files}/devices.txt`, '{"id":"d-1","importMode":"create"}\n');
  await context.runs.update(runId, (record) => ({ ...record, ...change }));
  return runId;
}

const take = (name: StepName, runId: string, more: object = {}) =>
  takeStep(
    context,
    name,
    { runId, attempt: 1, epoch: '1.1', kind: 'import', tries: 0, since: 0, lookAt: 0, ...more } as never,
    nobody,
  );

const suspendedFor = (ms: number) => ({ suspendedAt: new Date(context.now().getTime() - ms).toISOString() });
const running = {
  jobId: 'j1',
  createdAt: '2026-11-20T10:00:00.000Z',
  deadline: '2126-11-20T12:00:00.000Z',
  status: 'running',
  progress: 5,
};

describe('a step of a suspended run', () => {
  const heldBack = STEP_NAMES.filter((name) => name !== 'watchJob' && name !== 'failRun');

  it.each(heldBack)('%s is held back, and its turn is given up', async (name) => {
    const runId = await dropped(suspendedFor(1_000));
    const before = await context.runs.read(runId);
    expect(await take(name, runId)).toMatchObject({
      do: 'suspended',
      leave: true,
      seconds: 30,
      next: { do: 'call', activity: name, input: { runId, attempt: 1, wasSuspended: true } },
    });
    expect(await context.runs.read(runId)).toEqual(before);
  });

  it.each([
    ['a minute', 60_000, 30],
    ['ten minutes', 600_000, 150],
    ['a day', 86_400_000, 300],
  ])('suspended for %s, looks at its record again in good time', async (_what, ms, seconds) => {
    const step = (await take('followUp', await dropped(suspendedFor(ms)))) as Extract<Step, { do: 'suspended' }>;
    expect(step.seconds).toBeCloseTo(seconds, 0);
  });

  it('keeps its turn while a job of it is under way, which is watched on', async () => {
    hubJob = { status: 'running' };
    const runId = await dropped({ ...suspendedFor(1_000), jobs: { import: running } });
    expect(await take('followUp', runId)).toMatchObject({ do: 'suspended', leave: false });
    expect(await take('watchJob', runId)).toMatchObject({ do: 'wait', next: { activity: 'watchJob', keepTurn: true } });
    hubJob = { status: 'completed' };
    expect(await take('watchJob', runId)).toMatchObject({ do: 'turn', next: { activity: 'followUp' } });
    expect(await take('followUp', runId)).toMatchObject({ do: 'suspended', leave: true });
  });

  it('goes on when the run is cancelled: it has to end', async () => {
    const runId = await dropped({ ...suspendedFor(1_000), cancelRequestedAt: context.now().toISOString() });
    expect(await take('readOptions', runId)).toEqual({ do: 'ended', state: 'ended' });
    expect(await context.runs.read(runId)).toMatchObject({ state: 'cancelled' });
  });

  it('is not the next one when the run is resumed, if what it builds on may be old', async () => {
    const runId = await dropped({});
    expect(await take('fillLines', runId, { wasSuspended: true })).toMatchObject({
      do: 'turn',
      next: { activity: 'takePreImage', input: { epoch: '1.2' } },
    });
    const step = await take('readOptions', runId, { wasSuspended: true });
    expect(step).toMatchObject({ do: 'call', activity: 'readOptions' });
    expect(JSON.stringify(step)).not.toContain('wasSuspended');
  });
});

describe('steps that follow one another at once', () => {
  const record = (runId: string) => context.runs.read(runId);

  it('are taken in one activity', async () => {
    const runId = await dropped({});
    expect(await takeSteps(context, 'readOptions', { runId, attempt: 1 }, nobody)).toMatchObject({ do: 'place' });
    expect(await takeSteps(context, 'checkFile', { runId, attempt: 1 }, nobody)).toMatchObject({ do: 'turn' });
    // A create asks for no pre-image: what is next is the job, for which the turn has to be kept.
    const step = await takeSteps(context, 'takePreImage', { runId, epoch: '1.1' }, nobody);
    expect(step).toMatchObject({ do: 'turn', next: { activity: 'startJob' }, lost: {} });
  });

  it('are left to the orchestration from the one that fails, which is retried alone', async () => {
    const runId = await dropped({});
    await takeSteps(context, 'readOptions', { runId, attempt: 1 }, nobody);
    await takeSteps(context, 'checkFile', { runId, attempt: 1 }, nobody);
    let reads = 0;
    const failing: TestContext = {
      ...context,
      runs: {
        ...context.runs,
        // The reads of the first step: whether it is suspended, whether something was lost before, and its own.
        read: async (id) => {
          if (++reads > 3) throw new Error('storage is away');
          return context.runs.read(id);
        },
      },
    };
    expect(await takeSteps(failing, 'takePreImage', { runId, epoch: '1.1' }, nobody)).toMatchObject({
      do: 'call',
      activity: 'fillLines',
    });
    expect(context.logged.join()).toContain('fillLines is left to a call of its own: storage is away');
    expect(await record(runId)).toMatchObject({ state: 'running' });
    await expect(takeSteps(failing, 'fillLines', { runId, epoch: '1.1' }, nobody)).rejects.toThrow('storage is away');
  });
});
