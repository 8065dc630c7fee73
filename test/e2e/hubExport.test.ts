import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { afterAll, describe, expect, it } from 'vitest';

import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';
import { doWork, hubNameOf, stateOf } from '../scenarios/backupRuns.ts';
import type { RegistryState } from '../scenarios/registryState.ts';

const shared = shareStack({ settings: { HUB_TIER: 'S3', HUB_UNITS: '10' } });
afterAll(() => shared.stop());

const sample = (name: string) => readFileSync(new URL(`../../samples/${name}`, import.meta.url), 'utf8');
const WITH_KEYS = sample('hub-export.txt');
const WITHOUT_KEYS = sample('hub-export-without-keys.txt');
const CONFIGURATIONS = sample('hub-export-configurations.txt');

interface Line {
  readonly id: string;
  readonly moduleId?: string;
  readonly status: string;
  readonly statusReason?: string | null;
  readonly authentication: {
    readonly type: string;
    readonly symmetricKey: { readonly primaryKey: string | null };
    readonly x509Thumbprint: { readonly primaryThumbprint: string | null };
  } | null;
  readonly tags: Record<string, unknown> | null;
  readonly properties: { readonly desired: Record<string, unknown> };
}

const linesOf = (text: string) =>
  text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);

/** Whose child each device of the sample is; that of sensor-010 is not in it. */
const PARENTS: Readonly<Record<string, string>> = {
  'gateway-hall': 'gateway-north',
  'gateway-cell': 'gateway-hall',
  'sensor-001': 'gateway-cell',
  'sensor-002': 'gateway-hall',
};

/** All that the lines say, but for what the hub makes of them by itself. */
function expectAsLines(state: RegistryState, lines: readonly Line[]): void {
  for (const line of lines) {
    const { id, moduleId, authentication, properties } = line;
    const found = moduleId === undefined ? state.devices[id] : state.modules[`${id} / ${moduleId}`];
    const { $metadata, $version, ...desired } = properties.desired;
    const what = `${id} ${moduleId ?? ''}`;
    expect(found, what).toMatchObject({ tags: line.tags ?? {}, desired });
    if (moduleId === undefined) {
      const { status } = line;
      const parent = PARENTS[id] ?? null;
      expect(found, what).toMatchObject({ status, statusReason: line.statusReason ?? '', parent });
    }
    if (authentication === null) continue;
    expect(found?.authentication, what).toMatchObject({ type: authentication.type });
    const { primaryKey } = authentication.symmetricKey;
    if (primaryKey !== null) expect(found?.authentication?.keys?.[0], what).toBe(primaryKey);
    const { primaryThumbprint } = authentication.x509Thumbprint;
    if (primaryThumbprint !== null) expect(found?.authentication?.thumbprints?.[0], what).toBe(primaryThumbprint);
  }
}

/** A backup as it lies in storage, with files of the hub's own. @returns its name */
async function putBackup(stack: TestStack, devices: string, keys: 'included' | 'excluded'): Promise<string> {
  const backup = 'default/2026/11/20T020000Z';
  const files = { 'devices.txt': devices, 'configurations.txt': CONFIGURATIONS, 'extras.ndjson': '' };
  const lines = linesOf(devices);
  const modules = lines.filter(({ moduleId }) => moduleId !== undefined).length;
  const at = '2026-11-20T02:00:00.000Z';
  const manifest = {
    version: 1,
    backup,
    runId: '0123456789abcdef0123',
    hub: hubNameOf(stack),
    hubHost: hubNameOf(stack),
    startedAt: at,
    takenAt: at,
    finishedAt: at,
    keys,
    devices: lines.length - modules,
    modules,
    configurations: linesOf(CONFIGURATIONS).length,
    registry: { before: lines.length - modules, after: lines.length - modules },
    files: Object.fromEntries(
      Object.entries(files).map(([file, text]) => [
        file,
        {
          bytes: Buffer.byteLength(text),
          sha256: createHash('sha256').update(text).digest('hex'),
          lines: linesOf(text).length,
        },
      ]),
    ),
    extrasComplete: false,
    extrasMissing: 'nobody was asked',
    verifiedAt: at,
    job: { jobId: 'job', status: 'completed' },
  };
  const seal = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
  const container = stack.blobs.getContainerClient('registry-backups');
  for (const [file, text] of Object.entries({ ...files, 'manifest.json': JSON.stringify({ ...manifest, seal }) })) {
    await container.getBlockBlobClient(`${backup}/${file}`).upload(text, Buffer.byteLength(text));
  }
  return backup;
}

describe("a hub's own export", () => {
  it('is provisioned when it is dropped; what a hub makes itself, and a parent that is not there, are named', async () => {
    await shared.use(async (stack) => {
      await stack.drop('export/configurations.txt', CONFIGURATIONS);
      await stack.drop('export/devices.txt', WITH_KEYS, NOW);
      const record = await stack.finalRecord('export/devices.txt');
      expect(record).toMatchObject({
        state: 'completedWithFailures',
        outcomes: { skipped: 6, failed: 1, rejected: 0 },
      });
      const rows = await stack.rows(record);
      expect(rows.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
        {
          deviceId: 'sensor-010',
          code: 'ParentNotFound',
          reason: expect.stringContaining('the parent is not in the registry'),
        },
      ]);
      const lines = linesOf(WITH_KEYS).filter(({ moduleId }) => !/^(\$|filter$)/.test(moduleId ?? ''));
      const state = await stateOf(stack);
      expectAsLines(state, lines);
      expect(Object.keys(state.configurations).sort()).toEqual(['all-of-it', 'edge-base', 'night-mode']);
    });
  });

  it('is restored as the files of a backup, with what deployments made; what cannot be is named', async () => {
    await shared.use(async (stack) => {
      const backup = await putBackup(stack, WITH_KEYS, 'included');
      const run = await doWork(stack, 'restores', { backup, mode: 'exact', confirm: hubNameOf(stack) });
      expect(run).toMatchObject({ state: 'completedWithFailures', outcomes: { failed: 1, unconfirmed: 0 } });
      const applied = await stack.finalRecord(
        (await stack.records()).find(({ runId }) => runId === run.appliedBy)?.drop.blobName ?? '',
      );
      expect((await stack.rows(applied)).filter(({ outcome }) => outcome === 'failed')).toMatchObject([
        {
          deviceId: 'sensor-010',
          code: 'ParentNotFound',
          reason: expect.stringContaining('the parent is not in the registry'),
        },
      ]);
      const state = await stateOf(stack);
      expectAsLines(state, linesOf(WITH_KEYS));
      expect(state.modules['gateway-north / filter']).toMatchObject({ managedBy: 'iotEdge', desired: { limit: 25.5 } });
      expect(Object.keys(state.configurations).sort()).toEqual(['all-of-it', 'edge-base', 'night-mode']);
      expect(Object.keys(state.modules)).toHaveLength(linesOf(WITH_KEYS).filter((line) => line.moduleId).length);
    });
  });

  it('without keys is restored only once new keys are asked for', async () => {
    await shared.use(async (stack) => {
      const backup = await putBackup(stack, WITHOUT_KEYS, 'excluded');
      const body = { backup, mode: 'exact', confirm: hubNameOf(stack) };
      expect(await doWork(stack, 'restores', body)).toMatchObject({
        state: 'refused',
        error: { code: 'newKeysNeeded', message: expect.stringContaining(backup) },
      });
      expect((await stateOf(stack)).devices).toEqual({});
      expect(await doWork(stack, 'restores', { ...body, newKeys: true })).toMatchObject({ state: 'completed' });
      const state = await stateOf(stack);
      expect(Object.keys(state.devices)).toEqual(['camera-7', 'gateway-north', 'sensor-001', 'sensor-003']);
      expect(state.devices['sensor-003']).toMatchObject({ status: 'disabled', statusReason: 'stolen – report 7/2026' });
      expect(state.devices['sensor-001']?.parent).toBe('gateway-north');
    });
  });
});
