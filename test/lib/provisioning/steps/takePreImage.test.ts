import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { takePreImage } from '../../../../src/lib/provisioning/steps/takePreImage.ts';
import { HubError, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const MINUTE_MS = 60_000;
let drops = 0;

/** A checked run of one update, on a hub that answers every read with `trouble`; none: it has no such device. */
async function checkedRun(retryminutes: string) {
  const answer: { trouble: HubError | undefined } = { trouble: away(true) };
  const read = async () => {
    if (answer.trouble !== undefined) throw answer.trouble;
    return undefined;
  };
  const hub = { hubName: 'east', getDevice: read, getTwin: read } as unknown as RegistryClient;
  const context: TestContext = testContext(azurite.connectionString, { hub });
  const text = '{"id":"d","importMode":"update"}\n';
  const runId = await dropFile(context, `pre-${++drops}/devices.txt`, text, { retryminutes });
  await readOptions(context, { runId });
  expect(await checkFile(context, { runId })).toEqual({ next: 'job' });
  const take = () => takePreImage(context, { runId, epoch: '1.1' });
  return { context, answer, take, record: () => context.runs.read(runId) };
}

function away(retryable: boolean): HubError {
  const message = 'cannot reach hub 127.0.0.1:9: connection refused';
  return new HubError({ kind: 'network', code: 'NetworkError', message, retryable, outcomeUnknown: false });
}

describe('what is there, on a hub that cannot be reached', () => {
  it.each([
    ['as long as retries last', '10', 9, 2],
    ['three minutes at least', '0', 2, 2],
  ])('is waited for %s, seen in the record; then the run ends with the reason', async (_what, retry, still, over) => {
    const run = await checkedRun(retry);
    expect(await run.take()).toEqual({ status: 'wait' });
    expect(await run.record()).toMatchObject({
      state: 'running',
      waiting: { kind: 'trouble', reason: expect.stringContaining('connection refused') },
    });
    run.context.advance(still * MINUTE_MS);
    expect(await run.take()).toEqual({ status: 'wait' });
    run.context.advance(over * MINUTE_MS);
    expect(await run.take()).toEqual({ status: 'ended' });
    const record = await run.record();
    expect(record).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('connection refused') },
    });
    expect(record?.outcomes).toMatchObject({ skipped: 1 });
  });

  it('is read once the hub is back, and what comes next has its own time for trouble', async () => {
    const run = await checkedRun('10');
    expect(await run.take()).toEqual({ status: 'wait' });
    run.answer.trouble = undefined;
    expect(await run.take()).toEqual({ status: 'ready' });
    expect(await run.record()).not.toHaveProperty('waiting');
  });

  it('ends the run at once where a retry cannot help', async () => {
    const run = await checkedRun('10');
    run.answer.trouble = away(false);
    expect(await run.take()).toEqual({ status: 'ended' });
    expect(await run.record()).toMatchObject({ state: 'failed' });
  });
});
