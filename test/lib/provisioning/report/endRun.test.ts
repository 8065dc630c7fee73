import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endFailed } from '../../../../src/lib/provisioning/report/endRun.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { checkedRun as checkedRunOn } from '../../../helpers/jobHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const checkedRun = (metadata?: Record<string, string>) => checkedRunOn(azurite.connectionString, metadata);

describe('a run whose steps failed again and again', () => {
  it.each([
    { sent: false, outcomes: { skipped: 2, unconfirmed: 0 } },
    { sent: true, outcomes: { skipped: 0, unconfirmed: 2 } },
  ])('tells the fate of every line (job started: $sent)', async ({ sent, outcomes }) => {
    const run = await checkedRun();
    if (sent) await run.start();
    await endFailed(run.context, { runId: run.runId, message: 'storage was away' });
    expect(await run.record()).toMatchObject({ state: 'failed', error: { code: 'stepFailed' }, outcomes });
  });
});
