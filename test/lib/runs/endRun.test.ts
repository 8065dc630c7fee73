import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { finishRun } from '../../../src/lib/runs/endRun.ts';
import { restartIfLost } from '../../../src/lib/runs/restartRun.ts';
import type { RunBase } from '../../../src/lib/runs/runRecord.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { countingStarter, dropFile, type TestContext, testContext } from '../../helpers/provisioningContext.ts';

let azurite: Azurite;
let told: RunBase[];
let context: TestContext;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

async function aRun(beforeEnd: (record: RunBase) => Promise<void>): Promise<string> {
  told = [];
  context = { ...testContext(azurite.connectionString), beforeEnd };
  return dropFile(context, `end${Math.random()}/devices.txt`, '{"id":"d1"}\n');
}
const telling = async (record: RunBase) => {
  told.push(record);
};

describe('the end of a run', () => {
  it('is told before the record is final, and not again', async () => {
    const runId = await aRun(telling);
    expect((await finishRun(context, runId, { state: 'cancelled' })).state).toBe('cancelled');
    expect(told).toEqual([expect.objectContaining({ runId, kind: 'provision', state: 'accepted' })]);
    await finishRun(context, runId, { state: 'failed' });
    expect(told).toHaveLength(1);
  });

  it('waits until it could be told', async () => {
    const runId = await aRun(async () => {
      throw new Error('storage is away');
    });
    await expect(finishRun(context, runId, { state: 'completed' })).rejects.toThrow('storage is away');
    expect((await context.runs.read(runId))?.state).toBe('accepted');
  });

  it('is told of a run that is given up, too', async () => {
    const runId = await aRun(telling);
    const attempt = 5;
    await context.runs.update(runId, (record) => ({ ...record, startClaim: { at: record.createdAt, attempt } }));
    context.advance(60_000);
    expect(await restartIfLost(context, countingStarter(), runId)).toMatchObject({ reason: 'gaveUp' });
    expect(told.map((record) => record.runId)).toEqual([runId]);
  });
});
