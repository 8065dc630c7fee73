import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { downloadAll } from '../../../../local/host/blob/download.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { type HostProcess, startHost } from '../../../helpers/hostProcess.ts';
import { fixtureApp, type Notes, notesIn } from '../notes.ts';

const newYear = '0 0 0 1 1 *';

describe('the timer trigger', () => {
  let azurite: Azurite;
  let directory: string;
  let notes: Notes;
  let hostId: string;
  let host: HostProcess | undefined;
  let tests = 0;

  beforeAll(async () => {
    azurite = await startAzurite();
  });
  afterAll(() => azurite.stop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'timers-'));
    notes = notesIn(join(directory, 'notes'));
    hostId = `timers-${++tests}`;
  });
  afterEach(async () => {
    expect((await host?.stop()) ?? 0).toBe(0);
    host = undefined;
    await rm(directory, { recursive: true });
  });

  async function start(env: Record<string, string> = {}, args: string[] = []): Promise<HostProcess> {
    host = await startHost(fixtureApp('timers'), {
      args: ['--host-id', hostId, ...args],
      env: {
        AzureWebJobsStorage: azurite.connectionString,
        TIMER_NOTES: join(directory, 'notes'),
        YEARLY: newYear,
        TZ: 'UTC',
        ...env,
      },
    });
    return host;
  }

  const quiet = { 'AzureWebJobs.everySecond.Disabled': '1', 'AzureWebJobs.retried.Disabled': '1' };

  const statusBlob = () =>
    BlobServiceClient.fromConnectionString(azurite.connectionString)
      .getContainerClient('azure-webjobs-hosts')
      .getBlockBlobClient(`timers/${hostId}/Host.Functions.yearly/status`);

  const readStatus = () =>
    eventually(async () => {
      const blob = statusBlob();
      return (await blob.exists())
        ? (JSON.parse((await downloadAll(blob)).toString()) as Record<string, string>)
        : undefined;
    }, 'status of the timer');

  async function writeStatus(status: Record<string, string>): Promise<void> {
    const text = JSON.stringify(status);
    await BlobServiceClient.fromConnectionString(azurite.connectionString)
      .getContainerClient('azure-webjobs-hosts')
      .createIfNotExists();
    await statusBlob().upload(text, text.length);
  }

  const nextNewYear = () => `${new Date().getUTCFullYear() + 1}-01-01T00:00:00.000Z`;

  test('fires on its schedule, one run at a time, without a status for short schedules', async () => {
    await start();
    const runs = await notes.atLeast(3, (note) => note.name === 'everySecond');
    expect(runs.map((run) => run['running'])).toEqual(runs.map(() => 1));
    expect(runs[0]?.['timer']).toEqual({
      schedule: { adjustForDST: true },
      scheduleStatus: null,
      isPastDue: false,
    });
    const times = runs.map((run) => run['at'] as number);
    for (const [index, time] of times.slice(1).entries()) {
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(1_300);
    }
  });

  test('runs at start when runOnStartup says so, and repeats a failed run as the retry policy says', async () => {
    await start({ 'AzureWebJobs.everySecond.Disabled': '1' });
    await notes.atLeast(1, (note) => note.name === 'onStart');
    const tries = await notes.atLeast(3, (note) => note.name === 'retried');
    expect(tries.map((note) => note['retry'])).toEqual([
      null,
      { retryCount: 1, maxRetryCount: 2 },
      { retryCount: 2, maxRetryCount: 2 },
    ]);
    await host?.stop();
    expect((await notes.all()).filter((note) => note.name === 'retried')).toHaveLength(3);
    expect((await notes.all()).filter((note) => note.name === 'onStart')).toHaveLength(1);
  });

  test('notes its next occurrence at the first start, without a run', async () => {
    await start(quiet);
    const status = await readStatus();
    expect(status).toMatchObject({ Last: '0001-01-01T00:00:00+00:00', Next: nextNewYear() });
    await notes.atLeast(1, (note) => note.name === 'onStart');
    expect((await notes.all()).filter((note) => note.name === 'yearly')).toEqual([]);
  });

  test('makes one run, past due, for all occurrences that were missed', async () => {
    const missed = { Last: '2020-06-01T00:00:00Z', Next: '2021-01-01T00:00:00Z', LastUpdated: '2020-06-01T00:00:00Z' };
    await writeStatus(missed);
    await start(quiet);
    const [run] = await notes.atLeast(1, (note) => note.name === 'yearly');
    expect(run?.['timer']).toEqual({
      schedule: { adjustForDST: true },
      scheduleStatus: { last: missed.Last, next: missed.Next, lastUpdated: missed.LastUpdated },
      isPastDue: true,
    });
    await eventually(
      async () => ((await readStatus())['Next'] === nextNewYear() ? true : undefined),
      'status after the run',
    );
    await host?.stop();
    await start(quiet);
    await notes.atLeast(2, (note) => note.name === 'onStart');
    expect((await notes.all()).filter((note) => note.name === 'yearly')).toHaveLength(1);
  });

  test('takes a changed schedule for no missed run', async () => {
    await writeStatus({
      Last: '2020-06-01T00:00:00Z',
      Next: '2021-01-01T00:00:00Z',
      LastUpdated: '2020-06-01T00:00:00Z',
    });
    await start({ ...quiet, YEARLY: '0 0 0 2 1 *' });
    await eventually(
      async () => ((await readStatus())['Next'] === nextNewYear().replace('01-01T', '01-02T') ? true : undefined),
      'status for the new schedule',
    );
    await notes.atLeast(1, (note) => note.name === 'onStart');
    expect((await notes.all()).filter((note) => note.name === 'yearly')).toEqual([]);
  });

  test('runs when it is started by hand', async () => {
    const { adminUrl } = await start(quiet);
    const answer = await fetch(`${adminUrl}/functions/yearly`, { method: 'POST', body: '{"input":""}' });
    expect(answer.status).toBe(202);
    const [run] = await notes.atLeast(1, (note) => note.name === 'yearly');
    expect(run?.['timer']).toMatchObject({ isPastDue: false });
  });

  test('is late in unkind mode, and goes on', async () => {
    await start({ 'AzureWebJobs.retried.Disabled': '1' }, ['--unkind=3']);
    const runs = await notes.atLeast(2, (note) => note.name === 'everySecond');
    expect(runs.every((run) => run['running'] === 1)).toBe(true);
    expect(host?.log.text()).toContain('seed 3');
  });
});
