import { beforeEach, describe, expect, it } from 'vitest';

import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { openStaging } from '../../../src/lib/runs/runContainer.ts';
import { writeLines } from '../../../src/lib/storage/ndjson.ts';
import { readText } from '../../../src/lib/storage/readText.ts';
import { reportStage } from '../../../src/lib/work/reportStage.ts';
import { restStage } from '../../../src/lib/work/restStages.ts';
import type { StageReply } from '../../../src/lib/work/stage.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import { type KindsOfWork, takeStages } from '../../../src/lib/work/takeStage.ts';
import type { WorkContext, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { hubError } from '../../helpers/jobHub.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';

let work: WorkContext;
let runId: string;
let deleted: string[];
let refuses: string | undefined;
let context: TestContext;

beforeEach(async () => {
  const { connectionString } = await startAzurite();
  deleted = [];
  refuses = undefined;
  const hub = {
    hubName: 'hub-1',
    deleteConfiguration: async ({ id }: { readonly id: string }) => {
      if (id === refuses) throw hubError('ServiceUnavailable', { retryable: true });
      deleted.push(id);
    },
  } as unknown as RegistryClient;
  context = testContext(connectionString, { hub });
  work = workContext(context);
  const request = { confirm: 'hub-1' };
  runId = (await startWork(work, countingStarter(), { kind: 'deleteAll', hub: 'default', request })).runId;
  const staging = await openStaging(work, runId);
  for (const id of ['a', 'b']) {
    const row = { change: 'delete', id, live: { id, etag: 'e' } };
    await writeLines(staging.getBlockBlobClient(`rest-${id}.ndjson`), [JSON.stringify(row)]);
  }
});

const record = async () => (await work.runs.read(runId)) as WorkRun;

function restOf() {
  return restStage({
    rest: () => ['a', 'b'].map((id) => ({ part: 'configurations', blobName: `rest-${id}.ndjson`, items: 1 })),
    next: 'report',
  });
}

async function takeRest(run?: WorkRun): Promise<StageReply | undefined> {
  const { rest } = restOf();
  return rest.work(work, run ?? (await record()), { runId, attempt: 1, stage: 'rest' });
}

describe('the rest', () => {
  it('is done part by part', async () => {
    expect(await takeRest()).toEqual({ go: 'rest' });
    expect(await takeRest()).toEqual({ go: 'rest' });
    expect(await takeRest()).toEqual({ go: 'report' });
    expect(deleted).toEqual(['a', 'b']);
    expect((await record()).notes?.['restAt']).toMatchObject({ part: 2, outcomes: { succeeded: 2 } });
  });

  it('is not set back by an attempt that is late', async () => {
    const late = await record();
    await takeRest();
    await takeRest();
    await takeRest(late);
    expect((await record()).notes?.['restAt']).toMatchObject({ part: 2, outcomes: { succeeded: 2 } });
  });

  it('that the hub does not take for an hour ends with a report of what was done', async () => {
    refuses = 'b';
    const kinds: KindsOfWork = {
      deleteAll: {
        first: 'rest',
        stages: { ...restOf(), report: reportStage({ result: () => ({ all: false }), left: () => 0 }) },
      },
    };
    const step = () => takeStages(work, kinds, { runId, attempt: 1, stage: 'rest' });
    expect(await step()).toMatchObject({ do: 'wait', next: { input: { stage: 'rest' } } });
    context.advance(60 * 60_000);
    expect(await step()).toEqual({ do: 'ended', state: 'failed' });
    const { error, outcomes, report } = await record();
    expect(error?.message).toContain('ServiceUnavailable');
    expect(outcomes).toMatchObject({ succeeded: 1 });
    const rest = await readText(work.storage.container('provision-results').getBlockBlobClient(report?.rest ?? ''));
    expect(
      rest.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ id: 'a', outcome: 'succeeded' }]);
  });

  it('is not done to another hub', async () => {
    await work.runs.update(runId, (run) => ({ ...run, request: { confirm: 'hub-2' } }));
    await expect(takeRest()).rejects.toMatchObject({ code: 'otherHub' });
    expect(deleted).toEqual([]);
  });
});
