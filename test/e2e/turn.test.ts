import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';

const devices = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `{"id":"${prefix}-${i}","importMode":"create"}\n`).join('');

const post = async (url: string | URL, body?: unknown): Promise<number> => {
  const init =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return (await fetch(url, { method: 'POST', ...init })).status;
};

const foreignJob = (stack: TestStack, durationMs: number) => post(`${stack.hubAdminUrl}/jobs`, { durationMs });

const control = (stack: TestStack, runId: string, verb: 'suspend' | 'resume' | 'cancel') =>
  post(`${stack.apiUrl}/runs/${runId}/${verb}`);

const waitsFor = (stack: TestStack, name: string, what: string, is: (record: ProvisionRun) => boolean) =>
  stack.until(`${name} ${what}`, async () => {
    const record = await stack.recordOf(name);
    return record !== undefined && is(record) ? record : undefined;
  });

const inQueue = ({ waiting }: ProvisionRun) => waiting?.position !== undefined;

/** When the job of a run was created, by the clock of the app. */
const startOf = ({ jobs }: ProvisionRun) => Date.parse(jobs.import?.createdAt ?? '');

describe('the turn on a hub', () => {
  it('is taken in the order of the drops: with a job of somebody else before them, and past one that is suspended', async () => {
    await withStack({ hubArgs: ['--job-rate', '100'] }, async (stack) => {
      // Until it is known which run waits for which, nothing may move.
      await foreignJob(stack, 6_000);
      // Names against the order of time; storage keeps whole seconds.
      for (const name of ['c', 'b', 'a']) {
        await stack.drop(`${name}/devices.txt`, devices(name, 100));
        await new Promise((resolve) => setTimeout(resolve, 1_100));
      }
      const first = await waitsFor(stack, 'c/devices.txt', 'to wait for the foreign job', (record) =>
        Boolean(record.waiting?.reason.includes('one at a time')),
      );
      expect(first.waiting?.position).toBeUndefined();
      const third = await waitsFor(stack, 'a/devices.txt', 'to be third', ({ waiting }) => waiting?.position === 2);
      expect(third.waiting?.reason).toBe('waiting for its turn: 2 runs are ahead');

      expect(await control(stack, first.runId, 'suspend')).toBe(202);
      expect(await stack.recordOf('c/devices.txt')).toMatchObject({
        state: 'running',
        suspendedAt: expect.any(String),
      });
      const b = await stack.finalRecord('b/devices.txt');
      const a = await stack.finalRecord('a/devices.txt');
      expect([b.state, a.state]).toEqual(['completed', 'completed']);
      expect(startOf(b)).toBeLessThan(startOf(a));
      const held = await stack.recordOf('c/devices.txt');
      expect(held).toMatchObject({ state: 'running', phase: 'job' });
      expect(held?.jobs.import).toBeUndefined();

      expect(await control(stack, first.runId, 'resume')).toBe(202);
      const c = await stack.finalRecord('c/devices.txt');
      expect(c).toMatchObject({ state: 'completed', outcomes: { succeeded: 100 } });
      expect(c.suspendedAt).toBeUndefined();
      expect((await stack.hubState()).jobs).toMatchObject({ importsCreated: 3, overlapped: false });
      expect(await stack.deviceIds()).toHaveLength(300);

      expect(await control(stack, c.runId, 'suspend')).toBe(409);
      expect(await control(stack, c.runId, 'resume')).toBe(409);
      expect(await control(stack, 'ffffffffffffffffffff', 'suspend')).toBe(404);
      expect(await control(stack, 'ffffffffffffffffffff', 'resume')).toBe(404);
    });
  });

  it('passes to the next when its holder is dead and its job has ended; a suspended or waiting run can be cancelled', async () => {
    // Runs that were lost are left alone: here it is the next one in the queue that has to find out.
    await withStack({ hubArgs: ['--job-rate', '50'], settings: { SWEEP_SCHEDULE: '0 0 0 1 1 *' } }, async (stack) => {
      const instances = new URL('/runtime/webhooks/durabletask/', stack.adminUrl);
      const terminate = (id: string) => post(new URL(`instances/${id}/terminate?reason=gone`, instances));
      const ended = (id: string) =>
        stack.until(`the instance ${id} to end`, async () => {
          const { runtimeStatus } = (await (await fetch(new URL(`instances/${id}`, instances))).json()) as {
            runtimeStatus: string;
          };
          return runtimeStatus === 'Terminated';
        });

      await stack.drop('dead/devices.txt', devices('dead', 300));
      const dead = await waitsFor(
        stack,
        'dead/devices.txt',
        'to have its job',
        ({ jobs }) => jobs.import?.status === 'running',
      );
      for (const name of ['next', 'cancelled']) await stack.drop(`${name}/devices.txt`, devices(name, 10));
      const next = await waitsFor(stack, 'next/devices.txt', 'to stand in the queue', inQueue);
      const third = await waitsFor(stack, 'cancelled/devices.txt', 'to stand in the queue', inQueue);

      expect(await control(stack, next.runId, 'resume')).toBe(409);
      // Suspended in the queue, then cancelled: it has to go on to end.
      expect(await control(stack, third.runId, 'suspend')).toBe(202);
      expect(await stack.recordOf('cancelled/devices.txt')).not.toHaveProperty('waiting');
      expect(await control(stack, third.runId, 'cancel')).toBe(202);
      expect(await stack.finalRecord('cancelled/devices.txt')).toMatchObject({
        state: 'cancelled',
        outcomes: { skipped: 10 },
      });

      // The first run dies with its job under way; the next one starts over with less patience.
      const doomed = [dead.runId, next.runId];
      for (const id of doomed) await terminate(id);
      for (const id of doomed) await ended(id);
      const limits = { graceMs: 0, waiterSilentMs: 120_000, holderSilentMs: 500 };
      expect(await post(new URL(`orchestrators/run/${next.runId}`, instances), { runId: next.runId, limits })).toBe(
        202,
      );
      const done = await stack.finalRecord('next/devices.txt');
      expect(done).toMatchObject({ state: 'completed', outcomes: { succeeded: 10 } });
      expect((await stack.hubState()).jobs).toMatchObject({ importsCreated: 2, overlapped: false });
      // The record of the dead run still says otherwise: it was the hub that was asked.
      expect(await stack.recordOf('dead/devices.txt')).toMatchObject({
        state: 'running',
        jobs: { import: { status: 'running' } },
      });
    });
  });

  it('is taken in order by runs whose host was lost for good with all it knew of them, one job each', async () => {
    const settings = { SWEEP_SCHEDULE: '*/3 * * * * *' };
    await withStack({ hubArgs: ['--job-rate', '50'], settings }, async (stack) => {
      const names = ['c', 'b', 'a'].map((name) => `${name}/devices.txt`);
      for (const name of names) {
        await stack.drop(name, devices(name.charAt(0), 200));
        await new Promise((resolve) => setTimeout(resolve, 1_100));
      }
      await waitsFor(stack, 'c/devices.txt', 'to have its job', ({ jobs }) => jobs.import?.status === 'running');
      await waitsFor(stack, 'a/devices.txt', 'to stand in the queue', inQueue);
      await stack.killHost();
      // Histories, the queue, who waits for what: gone. The records and the jobs of the hub are what is left.
      await rm(join(stack.data, 'host'), { recursive: true });
      await mkdir(join(stack.data, 'host'));
      await stack.restartHost();

      const records: ProvisionRun[] = [];
      for (const name of names) records.push(await stack.finalRecord(name));
      for (const record of records) expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: 200 } });
      expect(records.toSorted((one, two) => startOf(one) - startOf(two))).toEqual(records);
      expect((await stack.hubState()).jobs).toMatchObject({ importsCreated: 3, overlapped: false });
      expect(await stack.deviceIds()).toHaveLength(600);
    });
  });

  it('goes by name among files of one second; is kept by a suspended run while its job goes on, and given up once that has ended', async () => {
    await withStack({ hubArgs: ['--job-rate', '50'] }, async (stack) => {
      const together = ['z/devices.txt', 'y/devices.txt', 'x/devices.txt'];
      await Promise.all(together.map((name) => stack.drop(name, devices(name.charAt(0), 5))));
      const records = await Promise.all(together.map((name) => stack.finalRecord(name)));
      const place = ({ drop }: ProvisionRun) => `${drop.lastModified} ${drop.blobName}`;
      expect(records.toSorted((one, two) => startOf(one) - startOf(two)).map(place)).toEqual(records.map(place).sort());

      await stack.drop('held/devices.txt', devices('held', 250));
      const held = await waitsFor(
        stack,
        'held/devices.txt',
        'to have its job',
        ({ jobs }) => jobs.import?.status === 'running',
      );
      expect(await control(stack, held.runId, 'suspend')).toBe(202);
      const seen = await waitsFor(
        stack,
        'held/devices.txt',
        'to see its job end',
        ({ jobs }) => jobs.import?.status === 'completed',
      );
      expect(seen).toMatchObject({ state: 'running', phase: 'job', suspendedAt: expect.any(String) });
      expect(await control(stack, held.runId, 'suspend')).toBe(202);
      await stack.drop('other/devices.txt', devices('other', 5));
      expect(await stack.finalRecord('other/devices.txt')).toMatchObject({ state: 'completed' });
      expect(await control(stack, held.runId, 'resume')).toBe(202);
      expect(await stack.finalRecord('held/devices.txt')).toMatchObject({
        state: 'completed',
        outcomes: { succeeded: 250 },
      });
      expect((await stack.hubState()).jobs).toMatchObject({ importsCreated: 5, overlapped: false });

      // Suspended behind HubKeeper's back, through the API of Durable Functions: that counts, and is resumed like any other.
      await foreignJob(stack, 4_000);
      await stack.drop('durable/devices.txt', devices('durable', 5));
      const { runId } = await waitsFor(stack, 'durable/devices.txt', 'to wait', ({ waiting }) => waiting !== undefined);
      const instance = new URL(`/runtime/webhooks/durabletask/instances/${runId}/`, stack.adminUrl);
      expect(await post(new URL('suspend?reason=asked', instance))).toBe(202);
      await stack.until('the instance to be suspended', async () => {
        const { runtimeStatus } = (await (await fetch(new URL('.', instance))).json()) as { runtimeStatus: string };
        return runtimeStatus === 'Suspended';
      });
      expect(await control(stack, runId, 'resume')).toBe(202);
      expect(await stack.finalRecord('durable/devices.txt')).toMatchObject({ state: 'completed' });
    });
  });

  it('is finished by a run whose orchestration an earlier version began, once the sweep has found it', async () => {
    await withStack({ settings: { SWEEP_SCHEDULE: '*/2 * * * * *' } }, async (stack) => {
      await foreignJob(stack, 8_000);
      await stack.drop('old/devices.txt', devices('old', 5));
      const { runId } = await waitsFor(stack, 'old/devices.txt', 'to wait', ({ waiting }) => waiting !== undefined);
      const instances = new URL('/runtime/webhooks/durabletask/', stack.adminUrl);
      expect(await post(new URL(`instances/${runId}/terminate?reason=upgrade`, instances))).toBe(202);
      const began = await stack.until('the instance of an earlier version to begin', async () => {
        const status = await post(new URL(`orchestrators/provisionRun/${runId}`, instances), { runId });
        return status === 202;
      });
      expect(began).toBe(true);
      expect(await stack.finalRecord('old/devices.txt')).toMatchObject({
        state: 'completed',
        outcomes: { succeeded: 5 },
        startClaim: { attempt: 2 },
      });
    });
  });
});
