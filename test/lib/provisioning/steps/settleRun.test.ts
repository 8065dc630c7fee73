import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followUp } from '../../../../src/lib/provisioning/steps/followUp.ts';
import { settleRun } from '../../../../src/lib/provisioning/steps/settleRun.ts';
import { watchJob } from '../../../../src/lib/provisioning/steps/watchJob.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { checkedRun as checkedRunOn, hubError } from '../../../helpers/jobHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const checkedRun = (metadata?: Record<string, string>) => checkedRunOn(azurite.connectionString, metadata);

describe('settling', () => {
  const cases: {
    name: string;
    status: string;
    log: string | undefined;
    outcomes: Record<string, number>;
    state: string;
  }[] = [
    { name: 'a clean log', status: 'completed', log: '', outcomes: { succeeded: 2 }, state: 'completed' },
    {
      name: 'a delete of what is not there',
      status: 'completed',
      log: '{"deviceId":"d2","errorCode":404001,"errorStatus":"x"}\n',
      outcomes: { succeeded: 1, unchanged: 1, failed: 0 },
      state: 'completed',
    },
    {
      name: 'a create of what is there',
      status: 'completed',
      log: '{"deviceId":"d1","errorCode":409001,"errorStatus":"x"}\r\n',
      outcomes: { succeeded: 1, failed: 1 },
      state: 'completedWithFailures',
    },
    {
      name: 'an error that names nobody',
      status: 'completed',
      log: '{"errorCode":500001,"errorStatus":"x"}\n{"deviceId":"d1","errorCode":409001,"errorStatus":"x"}\n',
      outcomes: { unconfirmed: 1, failed: 1, succeeded: 0 },
      state: 'completedWithFailures',
    },
    {
      name: 'no log',
      status: 'completed',
      log: undefined,
      outcomes: { unconfirmed: 2, succeeded: 0 },
      state: 'completedWithFailures',
    },
    {
      name: 'a failed job',
      status: 'failed',
      log: '',
      outcomes: { unconfirmed: 2, succeeded: 0 },
      state: 'completedWithFailures',
    },
    {
      name: 'a job that the hub forgot',
      status: 'gone',
      log: '',
      outcomes: { unconfirmed: 2, succeeded: 0 },
      state: 'completedWithFailures',
    },
  ];
  it.each(cases)('with $name', async ({ status, log, outcomes, state }) => {
    const run = await checkedRun();
    await run.start();
    if (log !== undefined) await run.log(log);
    if (status === 'gone') run.hub.jobs.length = 0;
    else run.hub.end('ours-1', status);
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    expect(await settleRun(run.context, { runId: run.runId })).toEqual({ state });
    expect(await run.record()).toMatchObject({ state, outcomes });
  });

  it('does not begin while the job can still change something', async () => {
    const run = await checkedRun();
    await run.start();
    await run.log('');
    expect(await followUp(run.context, { runId: run.runId })).toEqual({ do: 'notEnded' });
    expect(await run.record()).toMatchObject({ state: 'running' });
  });

  it('after the deadline of a job that never ends calls its lines unconfirmed', async () => {
    const run = await checkedRun();
    await run.start();
    await run.log('');
    run.hub.cancelling = hubError('ServerError');
    run.context.advance(2 * 3_600_000 - 60_000);
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toMatchObject({ ended: false });
    run.context.advance(120_000);
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    await settleRun(run.context, { runId: run.runId });
    expect(await run.record()).toMatchObject({ outcomes: { unconfirmed: 2 } });
  });
});
