import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettled } from '../../../../src/lib/provisioning/configurations/configurationsStaging.ts';
import { settleConfigurations } from '../../../../src/lib/provisioning/configurations/settleConfigurations.ts';
import { startRunOfDrop } from '../../../../src/lib/provisioning/drop/startRun.ts';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { withJob } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { followUp } from '../../../../src/lib/provisioning/steps/followUp.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { settleRun } from '../../../../src/lib/provisioning/steps/settleRun.ts';
import { startJob } from '../../../../src/lib/provisioning/steps/startJob.ts';
import {
  type Configuration,
  type ConfigurationInput,
  HubError,
  type ImportJobRequest,
  type RegistryClient,
} from '../../../../src/lib/registry/index.ts';
import type { RunJob } from '../../../../src/lib/runs/runRecord.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { countingStarter, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const content = (value: unknown) => ({ deviceContent: { 'properties.desired.interval': value } });

function hubError(code: string, fields: { retryable?: boolean } = {}): HubError {
  return new HubError({
    code,
    kind: 'server',
    retryable: fields.retryable ?? false,
    outcomeUnknown: false,
    message: `the hub said ${code}`,
    action: 'do something',
  });
}

/** A hub with configurations in memory, and replies that the test decides. */
class ConfigurationHub {
  readonly hubName = 'scripted';
  readonly held = new Map<string, Configuration>();
  readonly calls: string[] = [];
  created: ImportJobRequest[] = [];
  listing: HubError | undefined;
  /** What a PUT of an id throws; the change is done all the same when it is in `doneThough`. */
  readonly refusals = new Map<string, HubError>();
  readonly doneThough = new Set<string>();

  has(configuration: ConfigurationInput, etag = 'MQ=='): void {
    const { id } = configuration;
    this.held.set(id, { ...configuration, etag, metricResults: {}, systemMetricResults: {} });
  }
  async listJobs() {
    return [];
  }
  async createImportJob(request: ImportJobRequest) {
    this.created.push(request);
    return { jobId: 'ours', type: 'import', status: 'running', progress: 0 };
  }
  async listConfigurations() {
    this.calls.push('list');
    if (this.listing !== undefined) throw this.listing;
    return [...this.held.values()];
  }
  async getConfiguration(id: string) {
    this.calls.push(`get ${id}`);
    return this.held.get(id);
  }
  async createConfiguration(configuration: ConfigurationInput) {
    return this.put('create', configuration);
  }
  async updateConfiguration(configuration: ConfigurationInput, options: { onlyIfUnchanged?: boolean } = {}) {
    return this.put(options.onlyIfUnchanged ? 'update if unchanged' : 'update', configuration);
  }
  private async put(verb: string, configuration: ConfigurationInput) {
    const { id } = configuration;
    this.calls.push(`${verb} ${id}`);
    const refusal = this.refusals.get(id);
    if (refusal === undefined || this.doneThough.has(id)) this.has(configuration);
    if (refusal !== undefined) throw refusal;
    return this.held.get(id);
  }
}

interface Prepared {
  readonly context: TestContext;
  readonly hub: ConfigurationHub;
  readonly runId: string;
  readonly folder: string;
  put(name: string, text: string): Promise<void>;
  /** Of the container of the run. */
  staged(name: string): Promise<string>;
  start(): ReturnType<typeof startJob>;
  /** Settles as if the job had ended like this; the code and outcome of each accepted line, by id. */
  settle(end: { job?: Partial<RunJob>; log?: string }): Promise<Record<string, string>>;
}

const IDS = (lines: readonly object[]) => lines.map((line) => (line as { id: string }).id);

async function checkedRun(lines: readonly object[], held: readonly ConfigurationInput[] = []): Promise<Prepared> {
  const hub = new ConfigurationHub();
  for (const configuration of held) hub.has(configuration);
  const context = testContext(azurite.connectionString, { hub: hub as unknown as RegistryClient });
  const box = context.storage.container('provision');
  await box.createIfNotExists();
  const folder = `run${++drops}`;
  const put = async (name: string, text: string) => {
    await box.getBlockBlobClient(`${folder}/${name}`).upload(text, Buffer.byteLength(text), {
      metadata: { hubkeeper: 'test' },
    });
  };
  if (lines.length > 0) await put('configurations.txt', lines.map((line) => JSON.stringify(line)).join('\n'));
  await put('devices.txt', '{"id":"d1","importMode":"create"}\n');
  const { runId = '' } = await startRunOfDrop(context, countingStarter(), `${folder}/devices.txt`);
  expect(await readOptions(context, { runId })).toMatchObject({ status: 'ready' });
  expect(await checkFile(context, { runId })).toMatchObject({ next: 'job' });
  const staging = context.storage.runContainer(runId);
  return {
    context,
    hub,
    runId,
    folder,
    put,
    staged: async (name) => (await staging.getBlobClient(name).downloadToBuffer()).toString(),
    start: () => startJob(context, { runId, kind: 'import' }),
    async settle({ job = {}, log }) {
      const record = (await context.runs.read(runId)) as ProvisionRun;
      if (log !== undefined)
        await staging.getBlockBlobClient('importConfigErrors.log').upload(log, Buffer.byteLength(log));
      const base: RunJob = record.jobs.import ?? {
        jobId: 'ours',
        status: '',
        progress: 0,
        createdAt: '',
        deadline: '',
      };
      hub.calls.length = 0;
      await settleConfigurations(context, withJob(record, 'import', { ...base, status: 'completed', ...job }));
      const settled = await readSettled(context, runId);
      const ids = IDS(lines);
      return Object.fromEntries(
        settled?.verdicts.map(({ line, verdict: { outcome, code } }) => [
          ids[line - 1] ?? '',
          code === undefined ? outcome : `${outcome} ${code}`,
        ]) ?? [],
      );
    },
  };
}

const errorLine = (configurationId: string, errorCode: number) =>
  `${JSON.stringify({ configurationId, errorCode, errorStatus: 'x' })}\r\n`;

describe('the import job of a drop', () => {
  it('takes configurations along only when there are any to send', async () => {
    const none = await checkedRun([]);
    expect(await none.start()).toEqual({ status: 'started' });
    expect(none.hub.created[0]).not.toHaveProperty('includeConfigurations');
    expect(none.hub.calls).toEqual([]);

    const rejected = await checkedRun([{ id: 'Bad' }]);
    await rejected.start();
    expect(rejected.hub.created[0]).not.toHaveProperty('configurationsBlobName');

    const one = await checkedRun([{ id: 'a', content: content(1) }]);
    await one.start();
    expect(one.hub.created[0]).toMatchObject({ includeConfigurations: true });
  });

  it('reads them as they were at the check, with the ETags of this hub, and without what it would half apply', async () => {
    const held = { id: 'known', content: content(1), priority: 1 };
    const changed = { id: 'changed', content: content(1) };
    const run = await checkedRun(
      [
        { Id: 'known', Content: { DeviceContent: content(1).deviceContent }, ETag: 'OTk=', Priority: 4 },
        { id: 'changed', content: content(2) },
        { id: 'compared', content: content(3), etag: 'Nw==', importMode: 'createOrUpdateIfMatchETag' },
        { id: 'new', content: content(4) },
      ],
      [held, changed],
    );
    await run.put('configurations.txt', '{"id":"later","content":{}}');
    await run.start();
    const lines = (await run.staged(run.hub.created[0]?.configurationsBlobName ?? '')).trimEnd().split('\n');
    const mode = { importMode: 'createOrUpdateIfMatchETag' };
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { id: 'known', content: content(1), priority: 4, etag: 'MQ==', ...mode },
      { id: 'compared', content: content(3), etag: 'Nw==', ...mode },
      { id: 'new', content: content(4), ...mode },
    ]);
    const input = JSON.parse(await run.staged('configurations-input.json'));
    expect(input.heldBack).toEqual(['changed']);
    expect(JSON.parse(await run.staged(input.before))).toEqual({ ...held, etag: 'MQ==', ...mode });
  });
});

describe('configurations whose job has ended', () => {
  const wanted = (id: string, value: unknown = 1) => ({ id, content: content(value) });

  it('are what the registry says, whether there is a log or not', async () => {
    const run = await checkedRun([wanted('there'), wanted('absent'), wanted('kept', 2), wanted('half')]);
    await run.start();
    run.hub.has(wanted('there'));
    run.hub.has(wanted('kept', 1));
    run.hub.has({ ...wanted('half'), priority: 9 });
    expect(await run.settle({})).toEqual({
      there: 'succeeded',
      absent: 'failed notApplied',
      kept: 'failed contentKept',
      half: 'failed notApplied',
    });
    // What was settled once stays so.
    run.hub.held.clear();
    expect((await run.settle({})).there).toBe('succeeded');
  });

  it('are put by themselves where the error may pass, and settled by what came of it', async () => {
    const compared = { ...wanted('compared'), etag: 'Nw==', importMode: 'createOrUpdateIfMatchETag' };
    const lines = [wanted('busy'), wanted('moved'), wanted('refused'), wanted('silent'), compared, wanted('bad')];
    const run = await checkedRun(lines, [{ ...wanted('moved'), priority: 5 }]);
    await run.start();
    run.hub.refusals.set('refused', hubError('ConfigurationCountLimitExceeded'));
    run.hub.refusals.set('silent', hubError('Timeout', { retryable: true }));
    run.hub.doneThough.add('silent');
    run.hub.has(wanted('compared'));
    const log = [
      errorLine('busy', 429001),
      errorLine('moved', 412001),
      errorLine('refused', 503003),
      errorLine('silent', 500001),
      errorLine('compared', 412001),
      errorLine('bad', 400401),
    ].join('');
    expect(await run.settle({ log })).toEqual({
      busy: 'succeeded',
      moved: 'succeeded',
      refused: 'failed ConfigurationCountLimitExceeded',
      silent: 'succeeded',
      compared: 'unchanged PreconditionFailed',
      bad: 'failed InvalidConfigurationTargetCondition',
    });
    expect(run.hub.calls.filter((call) => !/^(list|get)/.test(call))).toEqual([
      'create busy',
      'update moved',
      'create refused',
      'create silent',
      'create silent',
      'create silent',
    ]);
  });

  it('are settled before any other job of the run can replace their log', async () => {
    const run = await checkedRun([wanted('there'), wanted('bad')]);
    await run.start();
    run.hub.has(wanted('there'));
    const staging = run.context.storage.runContainer(run.runId);
    const log = errorLine('bad', 400401);
    await staging.getBlockBlobClient('importConfigErrors.log').upload(log, log.length);
    await staging.getBlockBlobClient('importErrors.log').upload('', 0);
    await run.context.runs.update(run.runId, (record) => {
      const job = record.jobs.import;
      return job && withJob(record, 'import', { ...job, status: 'completed' });
    });
    expect(await followUp(run.context, { runId: run.runId })).toEqual({ do: 'settle' });
    expect((await readSettled(run.context, run.runId))?.verdicts).toHaveLength(2);
    await settleRun(run.context, { runId: run.runId });
    expect(await run.context.runs.read(run.runId)).toMatchObject({
      state: 'completedWithFailures',
      outcomes: { succeeded: 1 },
      configurations: { lines: 2, outcomes: { succeeded: 1, failed: 1 } },
    });
  });

  it('are not taken up again when the job was cancelled, and not called failed while it may still run', async () => {
    const cancelled = await checkedRun([wanted('busy'), wanted('there'), wanted('absent')]);
    await cancelled.start();
    cancelled.hub.has(wanted('there'));
    expect(await cancelled.settle({ job: { status: 'cancelled' }, log: errorLine('busy', 429001) })).toEqual({
      busy: 'failed ThrottlingException',
      there: 'succeeded',
      absent: 'failed notApplied',
    });
    expect(cancelled.hub.calls.some((call) => /^(create|update)/.test(call))).toBe(false);

    const overdue = await checkedRun([wanted('there'), wanted('absent')]);
    await overdue.start();
    overdue.hub.has(wanted('there'));
    expect(await overdue.settle({ job: { status: 'running' } })).toEqual({
      there: 'succeeded',
      absent: 'unconfirmed jobNotEnded',
    });
  });

  it('of a hub that cannot be read are what its log says, or unconfirmed', async () => {
    const logged = await checkedRun([wanted('a'), wanted('b')]);
    await logged.start();
    logged.hub.listing = hubError('IotHubUnauthorized');
    expect(await logged.settle({ log: errorLine('b', 400402) })).toEqual({
      a: 'succeeded',
      b: 'failed InvalidConfigurationContent',
    });
    const silent = await checkedRun([wanted('a')]);
    await silent.start();
    silent.hub.listing = hubError('ServiceUnavailable', { retryable: true });
    expect(await silent.settle({})).toEqual({ a: 'unconfirmed registryUnreadable' });
    expect(silent.hub.calls).toEqual(['list', 'list', 'list']);
  });

  it.each([
    ['configurationId', { configurationId: 'a', errorCode: 400402 }],
    ['id, Pascal case', { Id: 'a', ErrorCode: 400402 }],
    [
      'the line that it quotes',
      { errorCode: 400402, errorStatus: 'Invalid configuration format in line: {"id":"a","x":{}}. Bad.' },
    ],
    ['nothing at all, as the only one that can be meant', { errorCode: 400402, errorStatus: 'Bad.' }],
  ])('are found in the log by %s', async (_name, error) => {
    const run = await checkedRun([wanted('a')]);
    await run.start();
    expect(await run.settle({ log: JSON.stringify(error) })).toEqual({ a: 'failed InvalidConfigurationContent' });
  });
});
