import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect } from 'vitest';

import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../src/lib/registry/index.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkKind, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { hubRest } from '../../helpers/hubRest.ts';
import { runInProcess, workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';
import { type RegistryState, registryState } from '../../scenarios/registryState.ts';

type Request = Readonly<Record<string, unknown>>;

/** A simulated hub for the tests of a file, empty before each of them, and the work that is done on it. */
export interface RestoreHub {
  readonly hub: RegistryClient;
  readonly context: TestContext;
  /** A folder of its own. */
  readonly data: string;
  /** By no code of the app. */
  state(): Promise<RegistryState>;
  setFault(fault: object): Promise<void>;
  /** @returns the id of the run, which is begun and not worked on */
  begin(kind: WorkKind, request: Request): Promise<string>;
  read(runId: string): Promise<WorkRun>;
  /** Work to its end, and no activity of it fails for good. */
  work(kind: WorkKind, request: Request): Promise<WorkRun>;
  /** @returns the name of the backup */
  backUp(): Promise<string>;
  /** A file beside the report of a run, its lines parsed. */
  rowsOf(run: WorkRun, file: string): Promise<readonly unknown[]>;
}

export function restoreHub(environment: Record<string, string> = {}): RestoreHub {
  let simulator: RunningHub;
  let data: string;
  let hub: RegistryClient;
  let context: TestContext;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'restore-'));
    simulator = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0 });
    hub = createRegistryClient(parseHubConnection(simulator.connectionString), { retryDelayMs: 5 });
  });
  afterAll(async () => {
    await simulator.close();
    await rm(data, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const { connectionString } = await startAzurite();
    await fetch(`${simulator.adminUrl}/reset`, { method: 'POST' });
    await fetch(`${simulator.adminUrl}/faults`, { method: 'DELETE' });
    context = testContext(connectionString, { hub, environment });
  });

  const read = async (runId: string) => (await context.runs.read(runId)) as unknown as WorkRun;
  const begin = async (kind: WorkKind, request: Request): Promise<string> => {
    const wanted = { kind, hub: 'default', request };
    return (await startWork(workContext(context), countingStarter(), wanted)).runId;
  };
  const work = async (kind: WorkKind, request: Request): Promise<WorkRun> => {
    const runId = await begin(kind, request);
    const { failures } = await runInProcess(context, runId, async () => undefined);
    expect(failures).toEqual([]);
    return read(runId);
  };
  return {
    get hub() {
      return hub;
    },
    get context() {
      return context;
    },
    get data() {
      return data;
    },
    state: () => registryState(hubRest(simulator.connectionString)),
    async setFault(fault) {
      const { status } = await fetch(`${simulator.adminUrl}/faults`, { method: 'POST', body: JSON.stringify(fault) });
      expect(status).toBe(201);
    },
    begin,
    read,
    work,
    async backUp() {
      const { state, result } = await work('backup', {});
      expect(state).toBe('completed');
      return String(result?.['backup']);
    },
    async rowsOf({ runId }, file) {
      const blob = context.storage.container('provision-results').getBlockBlobClient(`default/_/${runId}/${file}`);
      const text = (await blob.downloadToBuffer()).toString().trim();
      return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as unknown);
    },
  };
}
