/** Everything that a run keeps in its container is deleted, one thing at a time, at each of its phases. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHub } from '../../../../local/hub/index.ts';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { createRegistryClient, parseHubConnection } from '../../../../src/lib/registry/index.ts';
import { openStaging } from '../../../../src/lib/runs/runContainer.ts';
import { isFinal } from '../../../../src/lib/runs/runRecord.ts';
import { readText } from '../../../../src/lib/storage/readText.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { runInProcess } from '../../../helpers/inProcessRun.ts';
import { dropFile, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';
import { readRegistry } from '../../../scenarios/readRegistry.ts';
import { judge } from '../../../scenarios/registryOracle.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

/** Lines that take a run through all of its phases. */
const LINES: readonly object[] = [
  { id: 'new', importMode: 'create', tags: { v: 1 } },
  { id: 'known', importMode: 'create', tags: { v: 1 } },
  // Without keys and status: they are filled in.
  { id: 'kept', importMode: 'createOrUpdate', tags: { v: 1 } },
  { id: 'gone', importMode: 'delete' },
  { id: 'never', importMode: 'delete' },
  // Refused by the job transiently, and sent once more by a call.
  { id: 'busy', importMode: 'createOrUpdate', tags: { v: 1 } },
  { id: 'busy-new', importMode: 'create', tags: { v: 1 } },
  // Once more refused by the call: only the registry can tell.
  { id: 'odd', importMode: 'update', tags: { v: 1 } },
  { id: 'edge', importMode: 'createOrUpdate', capabilities: { iotEdge: true } },
  { id: 'leaf', importMode: 'create', parent: 'edge', tags: { v: 1 } },
];
const REJECTED = '{"id":"not valid","importMode":"create"}\n';
const FILE = `${LINES.map((line) => `${JSON.stringify(line)}\n`).join('')}${REJECTED}`;
/** So many that the hub has to export its registry, before and after. */
const MANY = `${FILE}${Array.from({ length: 205 }, (_, at) => `{"id":"m${at}","importMode":"createOrUpdate","tags":{"v":1}}\n`).join('')}`;

const CONFIGURATION = `${JSON.stringify({
  id: 'c1',
  schemaVersion: '1.0',
  content: { deviceContent: { 'properties.desired.a': { b: 1 } } },
  targetCondition: "tags.v='1'",
  priority: 1,
})}\n`;

const BEFORE: readonly object[] = ['known', 'kept', 'gone', 'busy', 'odd'].map((id) => ({
  id,
  importMode: 'create',
  status: 'disabled',
  statusReason: 'as it was',
  tags: { old: true },
}));

const FAULTS: readonly object[] = [
  { operation: 'importLine', code: 'ThrottlingException', ids: ['busy', 'busy-new'] },
  { operation: 'importLine', code: 'ServerError', ids: ['odd'] },
  { operation: 'bulkItem', code: 'ArgumentInvalid', ids: ['odd'] },
];

interface Phase {
  /** Before this activity, which is called so often by then. */
  readonly before: string;
  readonly kind?: string;
  readonly wave?: string;
  readonly call?: number;
  /** Not once, but each time. */
  readonly each?: true;
}

const PHASES = {
  options: { before: 'readOptions' },
  check: { before: 'checkFile' },
  turn: { before: 'takePreImage' },
  'pre-image taken': { before: 'fillLines' },
  'job starting': { before: 'startJob', kind: 'import' },
  'job running': { before: 'watchJob', kind: 'import' },
  'job ended': { before: 'followUp', call: 1 },
  retry: { before: 'workChunk', wave: 'devices' },
  'retry ended': { before: 'followUp', call: 2 },
  verify: { before: 'followUp', call: 3 },
  parents: { before: 'workChunk', wave: 'parents' },
  settle: { before: 'settleRun' },
} as const satisfies Record<string, Phase>;
type PhaseName = keyof typeof PHASES;

/** What is deleted: names of blobs, or the whole container, and the drop beside it. */
const THINGS: Readonly<Record<string, RegExp>> = {
  'the container': /./,
  'the container and the drop': /./,
  'the drop': /^$/,
  'check.json': /^check\.json$/,
  'the line index': /^lines-/,
  'the lines': /^devices-/,
  'the lines with all that the check wrote, and the drop': /^(check\.json$|devices-|lines-)/,
  'the pre-image': /^pre-image-/,
  'the filled lines': /^filled-/,
  'what was filled, and its note': /^fill/,
  'job.json': /^job\.json$/,
  'the error log': /^importErrors\.log$/,
  'rounds.json': /^waves\.json$/,
  'the states of chunks': /^round-.*\.json$/,
  'the lines of chunks': /^round-.*\.txt$/,
  'what was read': /^(verify-|found-|registry-)/,
  'the links': /^(links|parent|plan)/,
};

const CHECKED = ['check.json', 'the line index', 'the lines'];
const SENT = [
  'the container',
  'the container and the drop',
  'check.json',
  'the line index',
  'job.json',
  'the error log',
];
const ROUNDS = ['rounds.json', 'the states of chunks', 'the lines of chunks'];
const CHECKED_AND_DROP = 'the lines with all that the check wrote, and the drop';

/** What is there to be deleted in each phase, and matters in it. */
const CASES: Readonly<Record<PhaseName, readonly string[]>> = {
  options: ['the container', 'the drop'],
  check: ['the container', 'the container and the drop', 'the drop'],
  turn: ['the container', 'the container and the drop', 'the drop', ...CHECKED, CHECKED_AND_DROP],
  'pre-image taken': ['the container', 'the container and the drop', ...CHECKED, 'the pre-image', 'job.json'],
  'job starting': [
    'the container',
    'the container and the drop',
    'the drop',
    ...CHECKED,
    'the pre-image',
    'job.json',
    'the filled lines',
    'what was filled, and its note',
  ],
  'job running': [
    'the container',
    'the container and the drop',
    'the drop',
    ...CHECKED,
    'the pre-image',
    'job.json',
    'the filled lines',
  ],
  'job ended': [...SENT, 'the drop', 'the lines', CHECKED_AND_DROP, 'the pre-image', 'what was filled, and its note'],
  retry: [...SENT, ...ROUNDS, 'the pre-image'],
  'retry ended': [...SENT, ...ROUNDS, 'what was filled, and its note'],
  verify: [...SENT, ...ROUNDS, 'what was read'],
  parents: ['the container', 'the container and the drop', 'the error log', ...ROUNDS, 'what was read', 'the links'],
  settle: [...SENT, ...ROUNDS, 'the lines', CHECKED_AND_DROP, 'what was read', 'the links'],
};

interface Ended {
  readonly record: ProvisionRun;
  readonly imports: number;
  readonly contradictions: readonly string[];
  readonly failures: readonly string[];
  readonly listed: boolean;
  readonly deleted: number;
  readonly logged: readonly string[];
}

async function runWith(
  file: string,
  phase: Phase,
  thing: string,
  faults: readonly object[] = FAULTS,
  metadata: Readonly<Record<string, string>> = {},
  withConfigurations = false,
  /** It is deleted when the final record is about to be written, which fails then. */
  atTheEnd = false,
): Promise<Ended> {
  const data = await mkdtemp(join(tmpdir(), 'recovery-'));
  const hub = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0 });
  const client = createRegistryClient(parseHubConnection(hub.connectionString), { retryDelayMs: 5 });
  try {
    await client.bulk(BEFORE as Parameters<typeof client.bulk>[0]);
    const before = readRegistry(data);
    await fetch(`${hub.adminUrl}/faults`, { method: 'POST', body: JSON.stringify(faults) });
    let deleted = -1;
    const plain = testContext(azurite.connectionString, { hub: client });
    const update: typeof plain.runs.update = async (id, change) => {
      const known = await plain.runs.read(id);
      const next = known && change(known);
      if (atTheEnd && deleted < 0 && next !== undefined && isFinal(next.state)) {
        deleted = await remove(plain, id, '', thing);
        throw new Error('killed');
      }
      return plain.runs.update(id, change);
    };
    const context: TestContext = atTheEnd ? { ...plain, runs: { ...plain.runs, update } } : plain;
    const folder = `lost${++drops}`;
    const name = `${folder}/devices.txt`;
    const configurations = context.storage.container('provision').getBlockBlobClient(`${folder}/configurations.txt`);
    if (withConfigurations) {
      await context.storage.container('provision').createIfNotExists();
      await configurations.upload(CONFIGURATION, CONFIGURATION.length);
    }
    const runId = await dropFile(context, name, file, metadata);
    let met = 0;
    const { failures } = await runInProcess(context, runId, async (activity, input) => {
      if ((deleted >= 0 && !phase.each) || activity !== phase.before) return;
      if (phase.kind !== undefined && input['kind'] !== phase.kind) return;
      if (phase.wave !== undefined && !String(input['wave']).startsWith(phase.wave)) return;
      met += 1;
      if (met < (phase.call ?? 1)) return;
      deleted = await remove(context, runId, name, thing);
      await configurations.deleteIfExists();
    });
    const record = await context.runs.read(runId);
    if (record === undefined) throw new Error('The record is gone.');
    const rows = await rowsOf(context, record);
    const state = (await (await fetch(`${hub.adminUrl}/state`)).json()) as { jobs: { importsCreated: number } };
    const after = readRegistry(data);
    return {
      record,
      imports: state.jobs.importsCreated,
      contradictions: rows === undefined ? [] : judge({ before, after, file, rows }).contradictions,
      failures,
      listed: rows !== undefined,
      deleted,
      logged: context.logged,
    };
  } finally {
    await hub.close();
    await rm(data, { recursive: true, force: true });
  }
}

async function remove(context: TestContext, runId: string, drop: string, thing: string): Promise<number> {
  let count = 0;
  const container = context.storage.runContainer(runId);
  if (thing.includes('drop')) {
    await context.storage.container('provision').getBlockBlobClient(drop).deleteIfExists();
    count += 1;
  }
  if (thing.includes('the container')) return count + ((await container.deleteIfExists()).succeeded ? 1 : 0);
  if (!(await container.exists())) return count;
  for await (const { name } of container.listBlobsFlat()) {
    if (THINGS[thing]?.test(name) !== true) continue;
    await container.deleteBlob(name);
    count += 1;
  }
  return count;
}

async function rowsOf(
  context: TestContext,
  record: ProvisionRun,
): Promise<Parameters<typeof judge>[0]['rows'] | undefined> {
  if (record.report?.csv === undefined) return undefined;
  const blob = context.storage.container(record.report.container).getBlockBlobClient(record.report.csv);
  return parse((await readText(blob)).text, { columns: true });
}

/** What holds of every run, whatever was deleted. */
function expectTruth(ended: Ended, lines: number): void {
  const { record, imports, contradictions, failures, listed } = ended;
  expect(failures).toEqual([]);
  expect(contradictions).toEqual([]);
  expect(isFinal(record.state)).toBe(true);
  expect(imports).toBeLessThanOrEqual(1);
  const said = JSON.stringify([record.error?.message, record.error?.action]);
  const { outcomes } = record;
  if (outcomes === undefined) {
    // Ended before it was checked: nothing is known of its lines, and nothing was sent.
    expect([record.state, imports]).toEqual(['refused', 0]);
    return;
  }
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(lines);
  if (imports > 0) {
    expect(said).not.toMatch(/nothing was (sent|changed)/i);
    expect(outcomes.skipped).toBe(0);
  } else {
    expect(outcomes).toMatchObject({ succeeded: 0, succeededWithWarning: 0, unchanged: 0, unconfirmed: 0 });
  }
  // Where the lines can be had, the registry tells of each.
  if (imports > 0 && listed) expect(outcomes.unconfirmed).toBe(0);
  if (!listed) expect(outcomes).toMatchObject(imports > 0 ? { unconfirmed: lines - 1 } : { skipped: lines - 1 });
}

const MATRIX = (Object.entries(CASES) as [PhaseName, readonly string[]][]).flatMap(([phase, things]) =>
  things.map((thing) => [phase, thing] as const),
);

describe('a run that loses what it keeps in storage', () => {
  it('goes through all phases when nothing is lost', async () => {
    const ended = await runWith(FILE, { before: 'never' }, 'the container');
    expectTruth(ended, 11);
    expect(ended.record.stagingLost).toBeUndefined();
    expect(ended.record).toMatchObject({
      state: 'completedWithFailures',
      outcomes: { rejected: 1, unchanged: 1, failed: 2, succeeded: 7 },
    });
  });

  it.concurrent.each(MATRIX)(
    'in the phase "%s" (%s) ends with the truth about every line, or unconfirmed',
    async (phase, thing) => {
      const ended = await runWith(FILE, PHASES[phase], thing);
      expect(ended.deleted).toBeGreaterThanOrEqual(0);
      expectTruth(ended, 11);
      // Before its import is sent it begins anew, and comes to the end that it would have come to.
      const { stagingLost } = ended.record;
      if (ended.imports > 0 && stagingLost !== undefined && stagingLost.isSent !== true) {
        expect(ended.record.outcomes).toMatchObject({ unchanged: 1, failed: 2, succeeded: 7 });
      }
    },
  );

  it.concurrent.each([
    ['the container', { before: 'startJob', kind: 'export' }],
    ['the container', { before: 'watchJob', kind: 'export' }],
    ['the container', { before: 'finishPreImage' }],
    ['the pre-image', { before: 'finishPreImage' }],
    ['job.json', { before: 'finishPreImage' }],
    ['check.json', { before: 'startJob', kind: 'verify' }],
    ['the container', { before: 'watchJob', kind: 'verify' }],
    ['what was read', { before: 'settleRun' }],
  ] as const)('whose registry has to be exported loses %s (%o), and ends with the truth', async (thing, phase) => {
    const faults = [{ operation: 'importJob', outcome: 'noLog' }];
    const ended = await runWith(MANY, phase, thing, faults);
    expect(ended.deleted).toBeGreaterThan(0);
    expect(ended.record.stagingLost).toBeDefined();
    expectTruth(ended, 216);
    expect(ended.imports).toBe(1);
  });

  it.concurrent.each(['the container', 'job.json', 'the filled lines', 'the pre-image'])(
    'right after a create whose reply was lost (%s) sends nothing twice, and ends with the truth',
    async (thing) => {
      // The first job is the export: the modules of a disabled device, which goes, cannot be read one by one.
      const faults = [{ operation: 'createJob', drop: true, when: 'after', skip: 1, count: 1 }, ...FAULTS];
      const ended = await runWith(FILE, { before: 'startJob', kind: 'import', call: 2 }, thing, faults);
      expect(ended.deleted).toBeGreaterThan(0);
      expectTruth(ended, 11);
      expect(ended.imports).toBe(1);
    },
  );

  it('between its report and its record writes both once more', async () => {
    const ended = await runWith(FILE, { before: 'never' }, 'the container', FAULTS, {}, false, true);
    expect(ended.deleted).toBeGreaterThan(0);
    expectTruth(ended, 11);
    expect(ended.record.stagingLost).toMatchObject({ isSent: true });
  });

  it.concurrent.each(['the container', 'the pre-image', 'check.json', 'the line index', 'job.json'])(
    'as a dry run (%s) says what would happen all the same',
    async (thing) => {
      const ended = await runWith(FILE, { before: 'planRun' }, thing, FAULTS, { dryrun: 'true' });
      expect(ended.deleted).toBeGreaterThan(0);
      expectTruth(ended, 11);
      expect(ended.record).toMatchObject({
        outcomes: { skipped: 10 },
        plan: { effects: { failsExists: 1, deleted: 1 } },
      });
    },
  );

  it('that keeps losing it is ended, and frees the hub', async () => {
    const ended = await runWith(FILE, { before: 'fillLines', each: true }, 'the container');
    expectTruth(ended, 11);
    expect(ended.record).toMatchObject({
      state: 'failed',
      error: { code: 'stagingLost', action: expect.stringContaining('Nothing was sent to the hub.') },
      outcomes: { skipped: 10 },
    });
  });

  it('tells of configurations, too, when nothing is left of them', async () => {
    const ended = await runWith(FILE, PHASES['job ended'], 'the container and the drop', FAULTS, {}, true);
    expectTruth(ended, 11);
    expect(ended.record.configurations).toMatchObject({ lines: 1, outcomes: { unconfirmed: 1 } });
  });
});

describe('a container that was just deleted', () => {
  it('cannot be made anew for a while, and is waited for', async () => {
    const context = testContext(azurite.connectionString);
    let refusals = 3;
    const storage = {
      ...context.storage,
      runContainer(runId: string) {
        const container = context.storage.runContainer(runId);
        const create = container.createIfNotExists.bind(container);
        container.createIfNotExists = async () => {
          if (refusals-- > 0) throw Object.assign(new Error('409'), { statusCode: 409, code: 'ContainerBeingDeleted' });
          return create();
        };
        return container;
      },
    };
    const before = context.now().getTime();
    const container = await openStaging({ ...context, storage }, 'fedcba9876543210fedc');
    expect(await container.exists()).toBe(true);
    expect(context.now().getTime() - before).toBeGreaterThanOrEqual(6_000);
  });
});
