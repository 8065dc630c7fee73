import { createHash } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import { type BackupManifest, sealed } from '../../../src/lib/backup/manifest.ts';
import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { type RestoreKind, startRequested } from '../../../src/lib/restore/startRequested.ts';
import { runInProcess, workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, type TestContext } from '../../helpers/provisioningContext.ts';
import { differences } from '../../scenarios/registryState.ts';
import { putBackup } from '../backup/sampleBackup.ts';
import { restoreHub } from './restoreHub.ts';

const at = restoreHub();
const { backUp, state } = at;
let hub: RegistryClient;
let context: TestContext;
let backup: string;
beforeEach(async () => {
  ({ hub, context } = at);
  await hub.createDevice({ deviceId: 'pump', capabilities: { iotEdge: true } });
  await hub.createConfiguration({ id: 'c', content: { deviceContent: { 'properties.desired.a': 1 } } });
  backup = await backUp();
  // What a restore would put back.
  await hub.deleteDevice({ deviceId: 'pump' });
});

const blob = (file: string, name = backup) =>
  context.storage.container('registry-backups').getBlockBlobClient(`${name}/${file}`);

async function rewrite(file: string, change: (bytes: Buffer) => Buffer | string): Promise<void> {
  const bytes = Buffer.from(change(await blob(file).downloadToBuffer()));
  await blob(file).upload(bytes, bytes.length);
}

const withManifest = (change: Partial<BackupManifest> | { version: number }) =>
  rewrite('manifest.json', (bytes) => {
    const { seal: _seal, ...manifest } = JSON.parse(bytes.toString()) as BackupManifest & { seal: string };
    return JSON.stringify(sealed({ ...manifest, ...change } as BackupManifest));
  });

/** In the middle of a word, so that the line stays JSON. */
const flipByte = (bytes: Buffer): Buffer => {
  const at = bytes.indexOf('"id"') + 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

interface Case {
  readonly prepare?: () => Promise<unknown>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly code: string;
  /** The request itself is taken; the run that reads the backup through refuses it. */
  readonly byRun?: true;
}

const CASES: Readonly<Record<string, Case>> = {
  'an unknown backup': { body: { backup: 'default/2020/01/01T000000Z' }, code: 'backupUnknown' },
  'what is no name of a backup': { body: { backup: '../default' }, code: 'backupUnknown' },
  'a manifest of another backup': {
    prepare: () => withManifest({ backup: 'default/2020/01/01T000000Z' }),
    code: 'backupOfOther',
  },
  'a manifest of another hub': { prepare: () => withManifest({ hub: 'elsewhere' }), code: 'backupOfOtherHub' },
  'a flipped byte in its devices': {
    prepare: () => rewrite('devices.txt', flipByte),
    code: 'backupDamaged',
    byRun: true,
  },
  'a flipped byte in its configurations': {
    prepare: () =>
      rewrite('configurations.txt', (bytes) => {
        bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
        return bytes;
      }),
    code: 'backupDamaged',
    byRun: true,
  },
  'a flipped byte in its extras': {
    prepare: () => rewrite('extras.ndjson', flipByte),
    code: 'backupDamaged',
    byRun: true,
  },
  'a truncated file': {
    prepare: () => rewrite('devices.txt', (bytes) => bytes.subarray(0, bytes.length - 40)),
    code: 'backupDamaged',
  },
  'a file that is gone': { prepare: () => blob('extras.ndjson').delete(), code: 'backupDamaged' },
  'a file in the archive tier': { prepare: () => blob('devices.txt').setAccessTier('Archive'), code: 'backupArchived' },
  'a manifest in the archive tier': {
    prepare: () => blob('manifest.json').setAccessTier('Archive'),
    code: 'backupArchived',
  },
  'a missing manifest': { prepare: () => blob('manifest.json').delete(), code: 'backupUnfinished' },
  'a backup that is being written': {
    prepare: () => blob('devices.txt', 'default/2026/01/02T030405Z').upload('{', 1),
    body: { backup: 'default/2026/01/02T030405Z' },
    code: 'backupUnfinished',
  },
  'a manifest of a newer version': { prepare: () => withManifest({ version: 2 }), code: 'backupNewer' },
  'a manifest that was changed': {
    prepare: () => rewrite('manifest.json', (bytes) => bytes.toString().replace('"devices": 1', '"devices": 2')),
    code: 'backupDamaged',
  },
  'counts that did not match': {
    prepare: () => withManifest({ countMismatch: { expected: [2, 3], found: 1 } }),
    code: 'backupCountMismatch',
  },
  'an unknown hub to restore to': { body: { to: 'nowhere' }, code: 'hubUnknown' },
};

const WRITING = { mode: 'exact', confirm: 'HUB' } as const;
const KINDS: readonly (readonly [RestoreKind, object])[] = [
  ['plan', {}],
  ['restore', WRITING],
  ['drill', { to: 'default' }],
];

describe('a backup that cannot be used is named, and nothing is changed', () => {
  it.each(Object.keys(CASES))('%s', async (name) => {
    const { prepare, body, code, byRun } = CASES[name] as Case;
    await prepare?.();
    const before = await state();
    for (const [kind, more] of KINDS) {
      // A drill names its hub by itself.
      if (kind === 'drill' && (code === 'backupOfOtherHub' || code === 'hubUnknown')) continue;
      const request = { backup, ...more, ...('confirm' in more ? { confirm: hub.hubName } : {}), ...body };
      // Else the damage that was found once is known at once.
      await blob('verification.json').deleteIfExists();
      const starter = countingStarter();
      const begun = startRequested(workContext(context, starter), kind, request);
      if (byRun !== true) {
        await expect(begun, kind).rejects.toMatchObject({ code });
        expect(starter.starts, kind).toEqual([]);
        continue;
      }
      const { runId } = await begun;
      await runInProcess(context, runId, async () => undefined);
      expect(await context.runs.read(runId), kind).toMatchObject({ state: 'refused', jobs: {}, error: { code } });
    }
    expect(differences(before, await state())).toEqual([]);
  });

  it('restores what was named in full although its counts did not match', async () => {
    await withManifest({ countMismatch: { expected: [2, 3], found: 1 } });
    const request = { backup, mode: 'missing', confirm: hub.hubName, acceptCountMismatch: true };
    const { runId } = await startRequested(workContext(context), 'restore', request);
    await runInProcess(context, runId, async () => undefined);
    expect(await context.runs.read(runId)).toMatchObject({ state: 'completed' });
    expect(await hub.getDevice('pump')).toBeDefined();
  });

  it('the latest backup that is drilled with is not of the hub that it goes to', async () => {
    const { settings } = context;
    const hubs = new Map([['spare', ''], ...settings.hubs]);
    const two = { ...workContext(context), settings: { ...settings, hubs } };
    await putBackup(context.storage, 'spare/2026/01/02T030405Z');
    const { request } = await startRequested(two, 'drill', { backup: 'latest', to: 'spare' });
    expect(request).toMatchObject({ backup, to: 'spare' });
  });

  it.each(['restore', 'drill', 'deleteAll'] as const)('%s is refused while the hub is restored', async (kind) => {
    const starter = countingStarter();
    const two = workContext(context, starter);
    const restore = { backup, mode: 'exact', confirm: hub.hubName };
    const first = await startRequested(two, 'restore', restore);
    const body = { restore, drill: { backup, to: 'default' }, deleteAll: { confirm: hub.hubName } }[kind];
    await expect(startRequested(two, kind, body)).rejects.toMatchObject({ code: 'hubBeingChanged' });
    expect(starter.starts).toEqual([first.runId]);
    expect(await startRequested(two, 'plan', { backup })).toMatchObject({ kind: 'plan' });
    // One that got past this ends by itself.
    const late = await two.start({ kind, hub: 'default', request: { ...body, backup } });
    await runInProcess(context, late.runId, async () => undefined);
    expect(await context.runs.read(late.runId)).toMatchObject({ state: 'refused', error: { code: 'hubBeingChanged' } });
  });

  it.each([
    ['restore', undefined],
    ['restore', 'another'],
    ['deleteAll', undefined],
    ['deleteAll', 'another'],
  ] as const)('%s is not confirmed by %j', async (kind, confirm) => {
    const starter = countingStarter();
    const body = { ...(kind === 'restore' ? { backup, mode: 'exact' } : {}), ...(confirm && { confirm }) };
    await expect(startRequested(workContext(context, starter), kind, body)).rejects.toMatchObject({
      code: 'notConfirmed',
      confirm: hub.hubName,
      message: expect.stringContaining(hub.hubName),
    });
    expect(starter.starts).toEqual([]);
  });

  it('a backup without keys restores devices with new ones only when that was asked for', async () => {
    await withManifest({ keys: 'excluded' });
    // As a hub exports without keys.
    await rewrite('devices.txt', (bytes) =>
      bytes.toString().replaceAll(/"authentication":\{.*?\}(?:,"type":"\w+")?\}/g, '"authentication":null'),
    );
    const { bytes, sha256 } = await measure('devices.txt');
    const { files } = JSON.parse((await blob('manifest.json').downloadToBuffer()).toString()) as BackupManifest;
    await withManifest({ files: { ...files, 'devices.txt': { ...files['devices.txt'], bytes, sha256 } } });
    const restore = async (more: object) => {
      const body = { backup, mode: 'exact', confirm: hub.hubName, ...more };
      const { runId } = await startRequested(workContext(context), 'restore', body);
      await runInProcess(context, runId, async () => undefined);
      return context.runs.read(runId);
    };
    expect(await restore({})).toMatchObject({ state: 'refused', error: { code: 'newKeysNeeded' } });
    expect(await hub.getDevice('pump')).toBeUndefined();
    expect(await restore({ newKeys: true })).toMatchObject({ state: 'completed', result: { lost: { keys: 1 } } });
    expect((await hub.getDevice('pump'))?.authentication?.type).toBe('sas');
  });
});

async function measure(file: string) {
  const content = await blob(file).downloadToBuffer();
  return { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}
