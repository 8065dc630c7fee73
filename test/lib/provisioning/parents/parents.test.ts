import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { withJob } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { followUp } from '../../../../src/lib/provisioning/steps/followUp.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { settleRun } from '../../../../src/lib/provisioning/steps/settleRun.ts';
import { workChunk } from '../../../../src/lib/provisioning/steps/workChunk.ts';
import { type BulkResult, HubError, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, endJob, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const scopeOf = (id: string) => `ms-azure-iot-edge://${id}-638`;

interface Item {
  readonly id: string;
  readonly eTag: string;
  readonly importMode: string;
  readonly statusReason?: string;
  readonly deviceScope?: string;
  readonly parentScopes?: readonly string[];
}

/** A registry of devices with scopes, whose bulk calls link them; the rules are those of a hub as far as links go. */
class LinkHub {
  readonly hubName = 'scripted';
  readonly devices = new Map<string, { etag: number; edge: boolean; reason: string; parent: string | undefined }>();
  readonly calls: Item[][] = [];
  /** Comes before the next calls, one each; what it throws is the answer, `applied` first or not. */
  readonly before: (() => { readonly throws: HubError; readonly applied: boolean } | undefined)[] = [];
  reading: HubError | undefined;
  reads = 0;

  add(id: string, edge = false): void {
    this.devices.set(id, { etag: 1, edge, reason: '', parent: undefined });
  }
  async getDevice(deviceId: string) {
    this.reads += 1;
    if (this.reading !== undefined) throw this.reading;
    return this.deviceOf(deviceId);
  }
  private deviceOf(deviceId: string) {
    const device = this.devices.get(deviceId);
    if (device === undefined) return undefined;
    const { edge, etag, reason, parent } = device;
    return {
      deviceId,
      etag: String(etag),
      status: 'enabled',
      statusReason: reason,
      authentication: { type: 'sas', symmetricKey: { primaryKey: 'p', secondaryKey: 's' } },
      capabilities: { iotEdge: edge },
      ...(edge ? { deviceScope: scopeOf(deviceId) } : parent === undefined ? {} : { deviceScope: parent }),
      ...(parent === undefined ? {} : { parentScopes: [parent] }),
    };
  }
  exported(): string {
    const lines = [...this.devices.keys()].map((id) => {
      const { deviceId, etag, ...rest } = this.deviceOf(id) ?? { deviceId: id, etag: '' };
      return `${JSON.stringify({ id: deviceId, eTag: etag, ...rest })}\r\n`;
    });
    return lines.join('');
  }
  async bulk(texts: readonly string[]): Promise<BulkResult> {
    const items = texts.map((text) => JSON.parse(text) as Item);
    this.calls.push(items);
    const trouble = this.before.shift()?.();
    if (trouble !== undefined && !trouble.applied) throw trouble.throws;
    const errors = items.flatMap((item) => {
      const name = this.apply(item);
      return name === undefined ? [] : [{ deviceId: item.id, error: { name, code: undefined }, detail: {} as never }];
    });
    if (trouble !== undefined) throw trouble.throws;
    return { isSuccessful: errors.length === 0, errors, warnings: [] };
  }
  private apply({ id, eTag, importMode, statusReason, deviceScope, parentScopes }: Item): string | undefined {
    const device = this.devices.get(id);
    if (device === undefined) return 'DeviceNotFound';
    if (importMode !== 'updateIfMatchETag' || eTag !== String(device.etag)) return 'PreconditionFailed';
    const parent = device.edge ? parentScopes?.[0] : deviceScope;
    if (device.edge && deviceScope !== scopeOf(id)) return 'InvalidDeviceScope';
    const owner = [...this.devices].find(([other, { edge }]) => edge && scopeOf(other) === parent);
    if (parent !== undefined && owner === undefined) return 'InvalidDeviceScope';
    this.devices.set(id, { ...device, etag: device.etag + 1, parent, reason: statusReason ?? '' });
    return undefined;
  }
  parentOf(id: string): string | undefined {
    return this.devices.get(id)?.parent;
  }
}

const busy = (outcomeUnknown: boolean) =>
  new HubError({ code: 'Timeout', kind: 'network', retryable: true, outcomeUnknown, message: 'no reply' });

interface Prepared {
  readonly context: TestContext;
  readonly hub: LinkHub;
  readonly runId: string;
  readonly names: string[];
  next(finished?: string): ReturnType<typeof followUp>;
  /** Does what is next until something else than waiting and calls is. */
  go(): ReturnType<typeof followUp>;
  settle(): Promise<ProvisionRun>;
  file(name: 'csv' | 'failedDevices'): Promise<string>;
}

/** A run whose import job has ended with these errors; the hub has all devices of it. */
async function afterJob(
  lines: readonly { readonly id: string; readonly capabilities?: { readonly iotEdge: boolean } }[],
  options: { readonly errors?: Readonly<Record<string, number>>; readonly metadata?: Record<string, string> } = {},
): Promise<Prepared> {
  const hub = new LinkHub();
  for (const { id, capabilities } of lines) hub.add(id, capabilities?.iotEdge);
  const context = testContext(azurite.connectionString, {
    hub: hub as unknown as RegistryClient,
    environment: { HUB_TIER: 'S3' },
  });
  const name = `parents${++drops}/devices.txt`;
  const text = lines.map((line) => `${JSON.stringify({ importMode: 'create', ...line })}\n`).join('');
  const runId = await dropFile(context, name, text, options.metadata);
  await readOptions(context, { runId });
  expect(await checkFile(context, { runId })).toMatchObject({ next: 'job' });
  const log = Object.entries(options.errors ?? {})
    .map(([deviceId, errorCode]) => `${JSON.stringify({ deviceId, errorCode, errorStatus: '' })}\n`)
    .join('');
  await endJob(context, runId, log);

  const prepared: Prepared = {
    context,
    hub,
    runId,
    names: [],
    next: (finished) => followUp(context, { runId, ...(finished === undefined ? {} : { finished }) }),
    async go() {
      for (let finished: string | undefined; ; ) {
        const next = await prepared.next(finished);
        finished = undefined;
        if (next.do === 'wait') context.advance(next.seconds * 1000);
        else if (next.do === 'work') {
          prepared.names.push(`${next.wave} ${next.chunks}`);
          for (let pass = 0; pass < 3; pass += 1) {
            for (let chunk = 0; chunk < next.chunks; chunk += 1) {
              const rest = { items: 500, msPerItem: 0, waitMs: 0, refusals: 0 };
              const step = `${next.wave}.${pass}.${chunk}`;
              await workChunk(context, { runId, wave: next.wave, chunk, step, pass, ...rest });
            }
          }
          finished = next.wave;
        } else return next;
      }
    },
    async settle() {
      expect(await prepared.go()).toEqual({ do: 'settle' });
      await settleRun(context, { runId });
      const record = await context.runs.read(runId);
      if (record === undefined) throw new Error('The record is gone.');
      return record;
    },
    async file(kind) {
      const { report } = (await context.runs.read(runId)) ?? {};
      const blob = context.storage.container('provision-results').getBlobClient(report?.[kind] ?? '');
      return (await blob.downloadToBuffer()).toString('utf8');
    },
  };
  return prepared;
}

const edge = (id: string, parent?: string) => ({
  id,
  capabilities: { iotEdge: true },
  ...(parent === undefined ? {} : { parent }),
});
const leaf = (id: string, parent?: string) => ({ id, ...(parent === undefined ? {} : { parent }) });
const TREE = [leaf('x', 'c'), edge('c', 'b'), edge('a'), edge('b', 'a'), leaf('y', 'a'), leaf('z')];

describe('after the import job, parents', () => {
  it('are set level by level, few devices read one by one', async () => {
    const run = await afterJob(TREE);
    expect(await run.settle()).toMatchObject({ state: 'completed', outcomes: { succeeded: 6 } });
    expect(run.names).toEqual(['parents-1-0 1', 'parents-1-1 1']);
    expect(run.hub.calls.map((call) => call.map(({ id }) => id).sort())).toEqual([['b', 'x', 'y'], ['c']]);
    expect(['x', 'c', 'b', 'y', 'z'].map((id) => run.hub.parentOf(id))).toEqual([
      scopeOf('c'),
      scopeOf('b'),
      scopeOf('a'),
      scopeOf('a'),
      undefined,
    ]);
    // Each of x, c, a, b, y once.
    expect(run.hub.reads).toBe(5);
  });

  it('cost nothing in a file that names none', async () => {
    const run = await afterJob([edge('a'), leaf('z')]);
    expect(await run.next()).toEqual({ do: 'settle' });
    expect(run.hub.reads).toBe(0);
  });

  it('cost reads alone where they are right already', async () => {
    const run = await afterJob(TREE);
    for (const [id, parent] of Object.entries({ x: 'c', c: 'b', b: 'a', y: 'a' })) {
      const device = run.hub.devices.get(id);
      if (device !== undefined) run.hub.devices.set(id, { ...device, parent: scopeOf(parent) });
    }
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 6 } });
    expect(run.hub.calls).toEqual([]);
  });

  it('are not set of devices that the run could not write', async () => {
    const run = await afterJob(TREE, { errors: { x: 409001 } });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 5, failed: 1 } });
    expect(run.hub.parentOf('x')).toBeUndefined();
    expect(await run.file('failedDevices')).toContain('"parent":"c"');
    expect(await run.file('failedDevices')).toContain('"importMode":"create"');
  });

  it('are set though the reply is lost, and no device is linked twice', async () => {
    const run = await afterJob(TREE);
    run.hub.before.push(() => ({ throws: busy(true), applied: true }));
    expect(await run.settle()).toMatchObject({ state: 'completed', outcomes: { succeeded: 6 } });
    expect(run.hub.devices.get('x')?.etag).toBe(2);
    expect(run.hub.parentOf('c')).toBe(scopeOf('b'));
  });

  it('are set without writing over what somebody else changes meanwhile', async () => {
    const run = await afterJob(TREE);
    run.hub.before.push(() => {
      run.hub.devices.set('x', { etag: 7, edge: false, reason: 'newer', parent: undefined });
      return undefined;
    });
    expect(await run.settle()).toMatchObject({ state: 'completed', outcomes: { succeeded: 6 } });
    expect(run.hub.devices.get('x')).toMatchObject({ reason: 'newer', parent: scopeOf('c') });
    expect(run.names).toEqual(['parents-1-0 1', 'parents-1-1 1', 'parents-2-0 1']);
  });

  it('wait for a hub that does not show what it has just made', async () => {
    const run = await afterJob(TREE);
    run.hub.devices.delete('b');
    expect(await run.next()).toMatchObject({ do: 'wait' });
    run.hub.add('b', true);
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 6 } });
  });

  it('that cannot be set make their lines fail, which can be dropped again as updates', async () => {
    const run = await afterJob([...TREE, leaf('lost', 'nobody'), leaf('low', 'z')]);
    expect(await run.settle()).toMatchObject({ state: 'completedWithFailures', outcomes: { succeeded: 6, failed: 2 } });
    const again = (await run.file('failedDevices')).trim().split('\n');
    expect(again.map((line) => JSON.parse(line) as object)).toEqual([
      { importMode: 'update', id: 'lost', parent: 'nobody' },
      { importMode: 'update', id: 'low', parent: 'z' },
    ]);
    const report = await run.file('csv');
    expect(report).toMatch(
      /lost,,create,failed,ParentNotFound,,"?The device is as the line asks, except for its parent: the/,
    );
    expect(report).toMatch(/low,,create,failed,ParentNotEdge/);
  });

  it('that the hub refuses are told with its reason', async () => {
    const run = await afterJob(TREE);
    run.hub.before.push(() => {
      run.hub.devices.delete('c');
      return undefined;
    });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 4, failed: 2 } });
    const report = await run.file('csv');
    expect(report).toMatch(/x,,create,failed,InvalidDeviceScope/);
    expect(report).toMatch(/c,,create,failed,DeviceNotFound/);
  });

  it('are not set any more once a run is cancelled', async () => {
    const run = await afterJob(TREE);
    const at = run.context.now().toISOString();
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: at }));
    expect(await run.settle()).toMatchObject({ state: 'cancelled', outcomes: { succeeded: 2, failed: 4 } });
    expect(run.hub.calls).toEqual([]);
    expect(await run.file('csv')).toMatch(/x,,create,failed,ParentNotSet/);
  });

  it('are set even if nothing is to be retried, and given up when the hub cannot be read for long', async () => {
    const once = await afterJob(TREE, { metadata: { retryminutes: '0' } });
    expect(await once.settle()).toMatchObject({ outcomes: { succeeded: 6 } });
    const run = await afterJob(TREE, { metadata: { retryminutes: '0' } });
    run.hub.reading = busy(false);
    const start = run.context.now().getTime();
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 2, failed: 4 } });
    expect(run.context.now().getTime() - start).toBeGreaterThan(9 * 60_000);
  });

  it('are set even if nothing is to be retried and the lanes of a level end too soon', async () => {
    const run = await afterJob(TREE, { metadata: { retryminutes: '0' } });
    let next = await run.next();
    for (; next.do === 'wait'; next = await run.next()) run.context.advance(next.seconds * 1000);
    expect(next).toMatchObject({ do: 'work', wave: 'parents-1-0' });
    expect(await run.next('parents-1-0')).toEqual(next);
    expect(await run.settle()).toMatchObject({ state: 'completed', outcomes: { succeeded: 6 } });
  });

  it('of many devices are set by one export, and its lines go out in chunks', async () => {
    const many = [edge('a'), edge('b', 'a'), ...Array.from({ length: 700 }, (_, index) => leaf(`l${index}`, 'b'))];
    const run = await afterJob(many);
    expect(await run.go()).toEqual({ do: 'job', kind: 'parents' });
    await finishExport(run, 'completed');
    expect(await run.settle()).toMatchObject({ state: 'completed', outcomes: { succeeded: 702 } });
    expect(run.names).toEqual(['parents-1-0 2']);
    expect(run.hub.calls.flat()).toHaveLength(701);
    expect(Math.max(...run.hub.calls.map((call) => call.length))).toBeLessThanOrEqual(100);
    expect(run.hub.reads).toBe(0);
  });

  it.each([
    ['fails', 'failed', 0],
    ['is cut off', 'completed', -5],
  ])('stay as they are if that export %s', async (_what, status, end) => {
    const many = [edge('a'), ...Array.from({ length: 300 }, (_, index) => leaf(`l${index}`, 'a'))];
    const run = await afterJob(many);
    expect(await run.go()).toEqual({ do: 'job', kind: 'parents' });
    await finishExport(run, status, end);
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 1, failed: 300 } });
  });
});

/** The export of the registry, as the hub would leave it. */
async function finishExport({ context, hub, runId }: Prepared, status: string, end?: number): Promise<void> {
  const container = context.storage.runContainer(runId);
  const waves = await container.getBlobClient('rounds.json').downloadToBuffer();
  const { parents } = JSON.parse(waves.toString('utf8')) as { parents: { attempt: string } };
  const text = hub.exported().slice(0, end);
  await container.getBlockBlobClient(`parents-registry-${parents.attempt}.txt`).upload(text, text.length);
  const job = { jobId: 'e1', status, progress: 100, createdAt: 'now', deadline: '2999-01-01T00:00:00Z' };
  await context.runs.update(runId, (record) => withJob(record, 'parents', job));
}
