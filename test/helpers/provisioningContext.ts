import { setTimeout } from 'node:timers/promises';

import { isIdleWork } from '../../src/lib/hubJobs/hubJob.ts';
import { createLogger } from '../../src/lib/logger.ts';
import type { MirrorStore } from '../../src/lib/mirror/store/mirrorStore.ts';
import { startNewDrops } from '../../src/lib/provisioning/drop/startNewDrops.ts';
import { startRunOfDrop } from '../../src/lib/provisioning/drop/startRun.ts';
import { isProvisioningIdle } from '../../src/lib/provisioning/job/isIdle.ts';
import type { ProvisioningContext, ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import type { RegistryClient } from '../../src/lib/registry/index.ts';
import { RUN_KINDS, runsOf } from '../../src/lib/runKinds.ts';
import type { RunStarter } from '../../src/lib/runs/restartRun.ts';
import { createRunStore } from '../../src/lib/runs/runStore.ts';
import { type SweepResult, sweep } from '../../src/lib/runs/sweep.ts';
import { readSettings } from '../../src/lib/settings.ts';
import { createStorage } from '../../src/lib/storage/storage.ts';
import { WORK_JOBS } from '../../src/lib/work/workRun.ts';

export interface TestContext extends ProvisioningContext {
  readonly logged: string[];
  mirrorStore(): MirrorStore | undefined;
  /** Moves the clock. */
  advance(ms: number): void;
}

const NO_HUB =
  'HostName=127.0.0.1:1;SharedAccessKeyName=iothubowner;SharedAccessKey=bm8tc3VjaC1odWItbm8tc3VjaC1odWI=;UseDevelopmentEmulator=true';

/** The services of a run over a real storage account, with a clock that moves only when it is told (or by sleeping). */
export function testContext(
  connectionString: string,
  options: {
    readonly environment?: Record<string, string>;
    readonly hub?: RegistryClient;
    readonly mirrorStore?: MirrorStore;
  } = {},
): TestContext {
  const settings = readSettings({ HUBKEEPER_STORAGE: connectionString, IOTHUB: NO_HUB, ...options.environment });
  const storage = createStorage(settings.storage, () => {
    throw new Error('no identity in this test');
  });
  let skew = 0;
  const now = () => new Date(Date.now() + skew);
  const logged: string[] = [];
  const context: TestContext = {
    settings,
    storage,
    runs: runsOf<ProvisionRun>(createRunStore(storage, now, RUN_KINDS)),
    isIdle: (record) =>
      record.kind === 'provision'
        ? isProvisioningIdle(context, record as ProvisionRun)
        : isIdleWork(context, record, WORK_JOBS),
    hub: () => {
      if (options.hub === undefined) throw new Error('no hub in this test');
      return options.hub;
    },
    mirrorStore: () => options.mirrorStore,
    now,
    sleep: async (ms) => {
      skew += ms;
      // What others do at the same time takes real time.
      await setTimeout(Math.min(ms, 20));
    },
    log: createLogger((level, message) => logged.push(`${level} ${message}`)),
    logged,
    advance: (ms) => {
      skew += ms;
    },
  };
  return context;
}

/** Counts starts, and believes an instance alive until told otherwise. */
export function countingStarter(): RunStarter & { readonly starts: string[]; readonly live: Set<string> } {
  const starts: string[] = [];
  const live = new Set<string>();
  return {
    starts,
    live,
    isLive: async (runId) => live.has(runId),
    start: async (runId) => {
      starts.push(runId);
      live.add(runId);
    },
  };
}

/** Sweeps as the timer does. */
export function sweepAll(context: TestContext, starter: RunStarter): Promise<SweepResult> {
  return sweep(context, starter, (known) => startNewDrops(context, starter, known));
}

/** Drops a file into the box and starts its run, up to the record: the steps are for the test. */
export async function dropFile(
  context: TestContext,
  name: string,
  text: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const box = context.storage.container('provision');
  await box.createIfNotExists();
  await box.getBlockBlobClient(name).upload(text, text.length, { metadata: { hubkeeper: 'test', ...metadata } });
  const { runId = '' } = await startRunOfDrop(context, countingStarter(), name);
  return runId;
}

/** Has the import job of a run end, with this error log. */
export async function endJob(context: TestContext, runId: string, log: string): Promise<void> {
  const at = context.now().toISOString();
  const job = { jobId: 'j1', status: 'completed', progress: 100, createdAt: at, deadline: '2999-01-01T00:00:00Z' };
  await context.runs.update(runId, (record) => ({ ...record, jobs: { import: job }, phase: 'job' }));
  await context.storage.runContainer(runId).getBlockBlobClient('importErrors.log').upload(log, log.length);
}
