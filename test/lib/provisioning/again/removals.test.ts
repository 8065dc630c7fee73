import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { fillLines } from '../../../../src/lib/provisioning/steps/fillLines.ts';
import { followUp } from '../../../../src/lib/provisioning/steps/followUp.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { settleRun } from '../../../../src/lib/provisioning/steps/settleRun.ts';
import { takePreImage } from '../../../../src/lib/provisioning/steps/takePreImage.ts';
import { workChunk } from '../../../../src/lib/provisioning/steps/workChunk.ts';
import { HubError, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, endJob, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const TAGS = '{"a":1.0,"10":"x","2":"y","site":"faro"}';

/** Devices that all have the same twin; remembers what it is sent, as text. */
class TwinHub {
  readonly hubName = 'scripted';
  readonly patches: string[] = [];
  readonly items: string[] = [];
  /** Thrown by the next patches, one each. */
  readonly failures: (HubError | undefined)[] = [];
  tags = TAGS;

  async getDevice(deviceId: string) {
    return { deviceId, etag: 'MQ==', status: 'enabled', capabilities: { iotEdge: false } };
  }
  async getTwin({ deviceId }: { deviceId: string }) {
    const tags = JSON.parse(this.tags) as object;
    const properties = { desired: {}, reported: {} };
    return { deviceId, etag: 'AAAAAAAAAAE=', tags, properties, written: { tags: this.tags, desired: '{}' } };
  }
  async bulk(items: readonly string[]) {
    this.items.push(...items);
    return { isSuccessful: true, errors: [], warnings: [] };
  }
  async patchTwin({ deviceId, moduleId }: { deviceId: string; moduleId?: string }, patch: string) {
    const failure = this.failures.shift();
    this.patches.push(`${moduleId ?? deviceId} ${patch}`);
    if (failure !== undefined) throw failure;
    return {};
  }
  async getJob() {
    return undefined;
  }
  async listJobs() {
    return [];
  }
}

/** A run whose import job has ended with these errors. */
async function afterJob(
  lines: readonly string[],
  errors: Readonly<Record<string, number>> = {},
  metadata: Record<string, string> = {},
) {
  const hub = new TwinHub();
  const environment = { HUB_TIER: 'S3' };
  const context = testContext(azurite.connectionString, { hub: hub as unknown as RegistryClient, environment });
  const runId = await dropFile(context, `twins${++drops}/devices.txt`, `${lines.join('\n')}\n`, metadata);
  await readOptions(context, { runId });
  expect(await checkFile(context, { runId })).toMatchObject({ next: 'job' });
  await takePreImage(context, { runId, epoch: '1.1' });
  await fillLines(context, { runId, epoch: '1.1' });
  const staging = context.storage.runContainer(runId);
  const names = [];
  for await (const { name } of staging.listBlobsFlat()) names.push(name);
  const filled = names.find((name) => name.startsWith('filled-'));
  const sent = filled && (await staging.getBlockBlobClient(filled).downloadToBuffer()).toString().trimEnd().split('\n');
  const log = Object.entries(errors).map(
    ([deviceId, errorCode]) => `${JSON.stringify({ deviceId, errorCode, errorStatus: '' })}\n`,
  );
  await endJob(context, runId, log.join(''));
  const next = (finished?: string) => followUp(context, { runId, ...(finished === undefined ? {} : { finished }) });
  return {
    context,
    hub,
    runId,
    sent,
    next,
    work: (wave: string, pass = 0) =>
      workChunk(context, {
        runId,
        wave,
        chunk: 0,
        step: `${wave}.${pass}`,
        items: 500,
        msPerItem: 0,
        waitMs: 0,
        pass,
        refusals: 0,
      }),
    async settle() {
      for (let step = await next(); step.do !== 'settle'; step = await next()) {
        if (step.do !== 'wait') throw new Error(`The run wants to ${JSON.stringify(step)}.`);
        context.advance(step.seconds * 1000);
      }
      await settleRun(context, { runId });
      const record = await context.runs.read(runId);
      const csv = await context.storage
        .container('provision-results')
        .getBlockBlobClient(record?.report?.csv ?? '')
        .downloadToBuffer();
      return {
        record,
        codes: csv
          .toString()
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((row) => row.split(',').slice(4, 6).join(' ')),
      };
    },
  };
}

const merging = (id: string, tags: string) =>
  `{"id":"${id}","importMode":"updateTwin","status":"enabled","tags":${tags}}`;
const overwriting = (id: string, tags: string) =>
  `{"id":"${id}","importMode":"update","status":"enabled","tags":${tags}}`;
const THROTTLED = 429001;
const OTHER_ETAG = 412001;

describe('what had to go from twins', () => {
  it('is patched away when the job is over, as it is written, and only that', async () => {
    const run = await afterJob(
      [
        merging('m1', '{"site":null,"z":1E5}'),
        merging('m2', '{"z":2.50}'),
        overwriting('o1', '{"a":1.0,"2":"z"}'),
        overwriting('o2', '{"a":2,"10":"x","2":"y","site":0.10}'),
        overwriting('o3', '{}'),
      ],
      { o3: 400004 },
    );
    expect(run.sent).toMatchObject([
      '{"id":"m1","importMode":"updateTwinIfMatchETag","status":"enabled","tags":{"a":1.0,"10":"x","2":"y","z":1E5},"twinETag":"AAAAAAAAAAE="}',
      '{"id":"m2","importMode":"updateTwinIfMatchETag","status":"enabled","tags":{"a":1.0,"10":"x","2":"y","site":"faro","z":2.50},"twinETag":"AAAAAAAAAAE="}',
      expect.stringContaining('"tags":{"a":1.0,"2":"z"}'),
      expect.stringContaining('"tags":{"a":2,"10":"x","2":"y","site":0.10}'),
      expect.stringContaining('"tags":{}'),
    ]);
    expect(await run.next()).toMatchObject({
      do: 'work',
      wave: 'removals',
      chunks: 1,
      width: 4,
      itemsPerMinute: 15_000,
    });
    expect(await run.work('removals')).toMatchObject({ status: 'done', sent: 2 });
    expect(run.hub.patches).toEqual(['m1 {"tags":{"site":null}}', 'o1 {"tags":{"10":null,"site":null}}']);
    expect(await run.next('removals')).toEqual({ do: 'settle' });
    expect((await run.settle()).codes).toEqual([
      'succeeded ',
      'succeeded ',
      'succeeded ',
      'succeeded ',
      'failed ArgumentInvalid',
    ]);
  });

  it('is retried, and told when it may still be there', async () => {
    const run = await afterJob([overwriting('o1', '{}'), overwriting('o2', '{}'), overwriting('o3', '{}')]);
    const gone = { code: 'DeviceNotFound', kind: 'notFound', retryable: false } as const;
    const busy = { code: 'ServerBusy', kind: 'server', retryable: true } as const;
    run.hub.failures.push(
      undefined,
      new HubError({ ...gone, outcomeUnknown: false, message: '' }),
      new HubError({ ...busy, outcomeUnknown: false, message: '' }),
    );
    await run.next();
    expect(await run.work('removals')).toMatchObject({ status: 'tried', sent: 3 });
    run.hub.failures.push(new HubError({ ...busy, outcomeUnknown: false, message: '' }));
    expect(await run.work('removals', 1)).toMatchObject({ status: 'tried', sent: 1 });
    run.context.advance(61 * 60_000);
    const { codes, record } = await run.settle();
    expect(codes).toEqual(['succeeded ', 'failed keysNotRemoved', 'failed keysNotRemoved']);
    expect(record).toMatchObject({ state: 'completedWithFailures' });
  });

  it('stays when the run was cancelled, and the lines say so', async () => {
    const run = await afterJob([merging('m1', '{"site":null}'), merging('m2', '{"z":1}')]);
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    expect((await run.settle()).codes).toEqual(['failed keysNotRemoved', 'succeeded ']);
    expect(run.hub.patches).toEqual([]);
  });

  it('goes, too, when what was noted of the job is gone', async () => {
    const run = await afterJob([merging('m1', '{"site":null}')]);
    await run.context.storage.runContainer(run.runId).getBlockBlobClient('job.json').delete();
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'removals' });
  });

  it('is not forgotten when it is not known any more: such a line is unconfirmed', async () => {
    const run = await afterJob([merging('m1', '{"site":null}'), merging('m2', '{"z":1}')]);
    const { context, runId } = run;
    // As before each create.
    const importSentAt = context.now().toISOString();
    await context.runs.update(runId, (record) => ({ ...record, importSentAt }));
    await context.storage.runContainer(runId).getBlockBlobClient('fill-1.1.json').delete();
    run.hub.tags = '{"a":1.0,"10":"x","2":"y","site":"faro","z":1}';
    const { codes, record } = await run.settle();
    expect(record?.stagingLost).toMatchObject({ what: 'fill-1.1.json', isSent: true });
    expect(codes).toEqual(['unconfirmed stagingLost', 'succeeded readBack']);
  });

  it('goes, too, when nothing else is to be retried', async () => {
    const run = await afterJob([merging('m1', '{"site":null}')], {}, { retryMinutes: '0' });
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'removals' });
  });
});

describe('a line that merges, sent again', () => {
  it('is a patch, whether the hub had trouble with it or its twin has changed', async () => {
    const lines = [
      merging('m1', '{"site":null,"z":1.0}'),
      merging('m2', '{"z":{"10":1,"2":null}}'),
      merging('m3', '{"site":null}'),
    ];
    const run = await afterJob(lines, { m1: THROTTLED, m2: OTHER_ETAG });
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'merges' });
    await run.work('merges');
    expect(run.hub.patches).toEqual(['m1 {"tags":{"site":null,"z":1.0}}', 'm2 {"tags":{"z":{"10":1,"2":null}}}']);
    // What was patched whole has nothing left that had to go.
    expect(await run.next('merges')).toMatchObject({ do: 'work', wave: 'removals' });
    await run.work('removals');
    expect(run.hub.patches.slice(2)).toEqual(['m3 {"tags":{"site":null}}']);
    await run.next('removals');
    expect((await run.settle()).codes).toEqual(['succeeded ', 'succeeded ', 'succeeded ']);
  });

  it('that met a changed twin fails when there is no time for it', async () => {
    const run = await afterJob([merging('m1', '{"z":1}')], { m1: OTHER_ETAG }, { retryMinutes: '0' });
    run.context.advance(1_000);
    expect((await run.settle()).codes).toEqual(['failed twinChanged']);
  });

  it('is told by the registry, and as a patch, when all that was noted of it is lost', async () => {
    const run = await afterJob([merging('m1', '{"z":1}'), merging('m2', '{"z":2}')], {
      m1: OTHER_ETAG,
      m2: OTHER_ETAG,
    });
    const { context, runId } = run;
    const importSentAt = context.now().toISOString();
    await context.runs.update(runId, (record) => ({ ...record, importSentAt }));
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'merges' });
    await run.work('merges');
    await context.storage.runContainer(runId).getBlockBlobClient('rounds.json').delete();
    // As the first patch has left it, on top of what somebody else had changed.
    run.hub.tags = '{"a":7,"10":"x","2":"y","site":"faro","z":1}';
    const { codes, record } = await run.settle();
    expect(record?.stagingLost).toMatchObject({ what: 'rounds.json', isSent: true });
    expect(codes).toEqual(['succeeded readBack', 'failed notApplied']);
  });
});

it('what overwrites is sent again as it is written', async () => {
  const run = await afterJob([overwriting('o1', '{"a":1.0,"10":"x","2":"y","site":0.10}')], { o1: THROTTLED });
  expect(await run.next()).toMatchObject({ do: 'work', wave: 'devices' });
  await run.work('devices');
  const [item = ''] = run.hub.items;
  expect(item).toContain('"tags":{"a":1.0,"10":"x","2":"y","site":0.10}');
  expect(JSON.parse(item)).toMatchObject({ importMode: 'updateIfMatchETag', eTag: 'MQ==' });
});
