import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startHub } from '../../../../local/hub/index.ts';
import { applyFileBy } from '../../../../src/lib/provisioning/drop/applyFile.ts';
import { createRegistryClient, parseHubConnection } from '../../../../src/lib/registry/index.ts';
import type { FileToApply } from '../../../../src/lib/runs/applyFile.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { runInProcess } from '../../../helpers/inProcessRun.ts';
import { countingStarter, sweepAll, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let containers = 0;
let context: TestContext;
let file: FileToApply;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

async function put(blobName: string, text: string): Promise<void> {
  const container = context.storage.container(file.container);
  await container.createIfNotExists();
  await container.getBlockBlobClient(blobName).upload(text, text.length);
}

beforeEach(async () => {
  context = testContext(azurite.connectionString);
  file = {
    kind: 'provision',
    hub: 'default',
    container: `made${++containers}`,
    blobName: 'restored.txt',
    options: { importMode: 'create', retryMinutes: 5 },
  };
  await put(file.blobName, '{"id":"d1"}\n');
});

describe('a file that is applied for other work', () => {
  it('has one run, whoever applies it and however often', async () => {
    const starter = countingStarter();
    const apply = applyFileBy(context, starter);
    const ids = await Promise.all(Array.from({ length: 20 }, () => apply(file)));
    expect(new Set(ids).size).toBe(1);
    expect(starter.starts).toEqual([ids[0]]);
    expect(await context.runs.read(ids[0] ?? '')).toMatchObject({
      kind: 'provision',
      hub: 'default',
      appliedFor: 'provision',
      options: { importMode: 'create', retryMinutes: 5, onInvalidLine: 'skip' },
      drop: { container: file.container, blobName: 'restored.txt' },
      state: 'accepted',
    });
  });

  it('is started by the sweep when whoever applied it died before that', async () => {
    const dying = countingStarter();
    dying.start = async () => {
      throw new Error('killed');
    };
    await expect(applyFileBy(context, dying)(file)).rejects.toThrow('killed');
    await context.storage.container('provision').createIfNotExists();
    context.advance(60_000);
    const starter = countingStarter();
    const { restarted } = await sweepAll(context, starter);
    expect(restarted).toContain(await applyFileBy(context, starter)(file));
  });

  it('has another run when it has changed, and none while it is not there', async () => {
    const apply = applyFileBy(context, countingStarter());
    const first = await apply(file);
    await put(file.blobName, '{"id":"d2"}\n');
    expect(await apply(file)).not.toBe(first);
    await expect(apply({ ...file, blobName: 'none.txt' })).rejects.toMatchObject({ code: 'dropDeleted' });
  });

  it.each([
    ['options that there are not', { options: { mode: 'create' } }, 'optionsInvalid'],
    ['a hub that is not configured', { hub: 'west' }, 'hubUnknown'],
  ])('has no run with %s', async (_what, change, code) => {
    const starter = countingStarter();
    await expect(applyFileBy(context, starter)({ ...file, ...change })).rejects.toMatchObject({ code });
    expect(starter.starts).toEqual([]);
  });

  it('is run as a dropped one is, without what lies beside it', async () => {
    const data = await mkdtemp(join(tmpdir(), 'apply-'));
    const hub = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0 });
    try {
      const client = createRegistryClient(parseHubConnection(hub.connectionString), { retryDelayMs: 5 });
      context = testContext(azurite.connectionString, { hub: client });
      await put('configurations.txt', 'not taken over');
      const runId = await applyFileBy(context, countingStarter())(file);
      expect((await runInProcess(context, runId, async () => undefined)).failures).toEqual([]);
      const record = await context.runs.read(runId);
      expect(record).toMatchObject({
        state: 'completed',
        startedAt: expect.any(String),
        outcomes: { succeeded: 1 },
        jobs: { import: { status: 'completed' } },
      });
      expect(record).not.toHaveProperty('configurations');
      expect(await client.getDevice('d1')).toMatchObject({ deviceId: 'd1' });
    } finally {
      await hub.close();
      await rm(data, { recursive: true, force: true });
    }
  });
});
