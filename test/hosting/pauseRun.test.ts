import type { DurableClient } from 'durable-functions';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { letRunEnd, resumeRun, suspendRun } from '../../src/hosting/pauseRun.ts';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { type Azurite, startAzurite } from '../helpers/azurite.ts';
import { dropFile, type TestContext, testContext } from '../helpers/provisioningContext.ts';

let azurite: Azurite;
let context: TestContext;
let files = 0;
let told: string[] = [];
let runtimeStatus: string | undefined;

/** What the durable client is asked for here; `runtimeStatus` is of any instance. */
const client = {
  async getStatus() {
    if (runtimeStatus === undefined) throw new Error('The operation failed with an unexpected status code: HTTP 404');
    return { runtimeStatus };
  },
  raiseEvent: async (_id: string, name: string) => void told.push(name),
  resume: async () => void told.push('resume'),
} as unknown as DurableClient;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(() => {
  context = testContext(azurite.connectionString);
  runtimeStatus = 'Running';
  told = [];
});

const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number) => new Date(context.now().getTime() - hours * HOUR_MS).toISOString();

async function dropped(change: Partial<ProvisionRun> = {}): Promise<string> {
  const runId = await dropFile(context, `pause-${++files}/devices.txt`, '{"id":"d-1","importMode":"create"}\n');
  await context.runs.update(runId, (record) => ({ ...record, ...change }));
  return runId;
}

describe('a run', () => {
  it('that is suspended has no place in the queue, is woken, and keeps when that was if it is suspended once more', async () => {
    const waiting = { kind: 'turn', reason: '1 run is ahead', since: hoursAgo(1), position: 1 } as const;
    const runId = await dropped({ waiting });
    const first = await suspendRun(context, client, runId);
    expect(first).toMatchObject({ status: 'done', run: { suspendedAt: expect.any(String) } });
    expect(first).not.toHaveProperty('run.waiting');
    context.advance(HOUR_MS);
    expect(await suspendRun(context, client, runId)).toEqual(first);
    expect(told).toEqual(['wake', 'wake']);
  });

  it.each([
    ['that has no orchestration cannot be suspended', undefined, suspendRun],
    ['that is not suspended cannot be resumed', 'Running', resumeRun],
  ])('%s', async (_what, status, act) => {
    runtimeStatus = status;
    const runId = await dropped();
    const before = await context.runs.read(runId);
    expect(await act(context, client, runId)).toEqual({ status: 'refused', run: before });
    expect(await context.runs.read(runId)).toEqual(before);
    expect(told).toEqual([]);
  });

  it.each([
    ['waited before it', 5, 2],
    ['began to wait during it', 1, 0],
  ])('has not waited for anything while it was suspended for 3 h (%s)', async (_what, since, waited) => {
    const waiting = { kind: 'trouble', reason: 'the hub does not answer', since: hoursAgo(since) } as const;
    const runId = await dropped({ waiting, suspendedAt: hoursAgo(3), suspendedMs: HOUR_MS });
    expect(await resumeRun(context, client, runId)).toMatchObject({ status: 'done' });
    const run = await context.runs.read(runId);
    expect(run).not.toHaveProperty('suspendedAt');
    expect(Math.round((run?.suspendedMs ?? 0) / HOUR_MS)).toBe(4);
    const waitedMs = context.now().getTime() - Date.parse(run?.waiting?.since ?? '');
    expect(Math.round(waitedMs / HOUR_MS)).toBe(waited);
    expect(told).toEqual(['wake']);
  });

  it('that somebody suspended through the API of Durable Functions is resumed there', async () => {
    runtimeStatus = 'Suspended';
    const runId = await dropped();
    expect(await resumeRun(context, client, runId)).toMatchObject({ status: 'done', run: { runId } });
    expect(told).toEqual(['resume', 'wake']);
  });

  it.each([
    ['is woken', 'Running', {}, ['wake']],
    ['is resumed', 'Running', { suspendedAt: '2026-11-20T10:00:00.000Z' }, ['wake']],
    ['is resumed where it was suspended through the API of Durable Functions', 'Suspended', {}, ['resume', 'wake']],
    ['waits for its orchestration', undefined, {}, ['wake']],
  ])('that is cancelled %s, to end', async (_what, status, change, expected) => {
    runtimeStatus = status;
    const runId = await dropped({ ...change, cancelRequestedAt: hoursAgo(0) });
    const record = await context.runs.read(runId);
    if (record === undefined) throw new Error('The record is gone.');
    expect(await letRunEnd(context, client, record)).not.toHaveProperty('suspendedAt');
    expect(told).toEqual(expected);
  });

  it('that two resume at once keeps the place in the queue that it has taken since', async () => {
    const runId = await dropped({ suspendedAt: hoursAgo(1) });
    const late: TestContext = { ...context, runs: { ...context.runs, read: async () => stale } };
    const stale = await context.runs.read(runId);
    await resumeRun(context, client, runId);
    const waiting = { kind: 'turn', reason: '1 run is ahead', since: hoursAgo(0), position: 1 } as const;
    await context.runs.update(runId, (record) => ({ ...record, waiting }));
    expect(await resumeRun(late, client, runId)).toMatchObject({ status: 'done', run: { waiting } });
  });
});
