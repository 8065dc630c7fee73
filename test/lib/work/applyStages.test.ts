import { beforeEach, describe, expect, it } from 'vitest';

import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { finishRun } from '../../../src/lib/runs/endRun.ts';
import { applyStages, fileOfLines } from '../../../src/lib/work/applyStages.ts';
import type { StageReply } from '../../../src/lib/work/stage.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkContext, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, testContext } from '../../helpers/provisioningContext.ts';

let work: WorkContext;
let runId: string;
let applied: string[];

beforeEach(async () => {
  const { connectionString } = await startAzurite();
  const context = testContext(connectionString, { hub: { hubName: 'Hub-1' } as RegistryClient });
  applied = [];
  work = {
    ...workContext(context),
    applyFile: async ({ blobName }) => {
      applied.push(blobName);
      return '0123456789abcdef0123';
    },
  };
  const request = { confirm: 'hub-1' };
  runId = (await startWork(work, countingStarter(), { kind: 'restore', hub: 'default', request })).runId;
});

const change = (changes: Partial<WorkRun>) => work.runs.update(runId, (run) => ({ ...run, ...changes }));
const record = async () => (await work.runs.read(runId)) as WorkRun;

/** @param before what happens between the look at the record and the application of the lines */
async function apply(before: () => Promise<unknown> = async () => undefined): Promise<StageReply | undefined> {
  const stages = applyStages({
    async file(context, run) {
      await before();
      return fileOfLines(context, run, 'lines.txt');
    },
    next: 'rest',
  });
  return stages['apply']?.work(work, await record(), { runId, attempt: 1, stage: 'apply' });
}

describe('lines', () => {
  it('are applied by a run of their own', async () => {
    expect(await apply()).toEqual({ wait: 1, go: 'applyWatch' });
    expect(applied).toEqual(['lines.txt']);
    expect(await record()).toMatchObject({ appliedBy: '0123456789abcdef0123', notes: { applying: true } });
  });

  it('are not applied by an attempt that is late: the run has ended, and nobody would watch', async () => {
    await apply(() => finishRun(work, runId, { state: 'cancelled' }));
    expect(applied).toEqual([]);
  });

  it('are not applied when the run was cancelled a moment ago', async () => {
    const cancelled = await apply(() => change({ cancelRequestedAt: work.now().toISOString() }));
    expect(cancelled).toMatchObject({ end: 'cancelled' });
    expect(applied).toEqual([]);
  });

  it('are looked for by a run that was cancelled after they were begun', async () => {
    await change({ cancelRequestedAt: work.now().toISOString(), notes: { applying: true } });
    expect(await apply()).toEqual({ wait: 1, go: 'applyWatch' });
    expect(applied).toEqual(['lines.txt']);
  });

  it.each<[string, Partial<WorkRun>]>([
    ['confirmed', { request: { confirm: 'hub-2' } }],
    ['looked at', { request: {}, snapshots: { export: { hub: 'hub-2' } } } as unknown as Partial<WorkRun>],
  ])('are not applied to another hub than the one that was %s', async (_, changes) => {
    await change(changes);
    await expect(apply()).rejects.toMatchObject({ code: 'otherHub' });
    expect(applied).toEqual([]);
  });
});
