import { beforeEach, describe, expect, it } from 'vitest';

import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { openStaging } from '../../../src/lib/runs/runContainer.ts';
import { writeLines } from '../../../src/lib/storage/ndjson.ts';
import { restStage } from '../../../src/lib/work/restStages.ts';
import type { StageReply } from '../../../src/lib/work/stage.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkContext, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, testContext } from '../../helpers/provisioningContext.ts';

let work: WorkContext;
let runId: string;
let deleted: string[];

beforeEach(async () => {
  const { connectionString } = await startAzurite();
  deleted = [];
  const hub = {
    hubName: 'hub-1',
    deleteConfiguration: async ({ id }: { readonly id: string }) => {
      deleted.push(id);
    },
  } as unknown as RegistryClient;
  work = workContext(testContext(connectionString, { hub }));
  const request = { confirm: 'hub-1' };
  runId = (await startWork(work, countingStarter(), { kind: 'deleteAll', hub: 'default', request })).runId;
  const staging = await openStaging(work, runId);
  for (const id of ['a', 'b']) {
    const row = { change: 'delete', id, live: { id, etag: 'e' } };
    await writeLines(staging.getBlockBlobClient(`rest-${id}.ndjson`), [JSON.stringify(row)]);
  }
});

const record = async () => (await work.runs.read(runId)) as WorkRun;

async function takeRest(run?: WorkRun): Promise<StageReply | undefined> {
  const { rest } = restStage({
    rest: () => ['a', 'b'].map((id) => ({ part: 'configurations', blobName: `rest-${id}.ndjson`, items: 1 })),
    next: 'report',
  });
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

  it('is not done to another hub', async () => {
    await work.runs.update(runId, (run) => ({ ...run, request: { confirm: 'hub-2' } }));
    await expect(takeRest()).rejects.toMatchObject({ code: 'otherHub' });
    expect(deleted).toEqual([]);
  });
});
