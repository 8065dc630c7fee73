import { createHash } from 'node:crypto';

import { afterAll, describe, expect, it } from 'vitest';

import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { shareStack, type TestStack } from '../helpers/stack.ts';
import { backUp, beginWork, doWork, hubNameOf, stateOf } from '../scenarios/backupRuns.ts';
import { differences } from '../scenarios/registryState.ts';

const shared = shareStack({ settings: { HUB_TIER: 'S3', HUB_UNITS: '10' } });
afterAll(() => shared.stop());

type Files = Map<string, Buffer>;

interface Damage {
  readonly does: (files: Files, backup: string) => void;
  readonly code: string;
  readonly says: RegExp;
  /** How it is listed, once it has been read again. */
  readonly state: string;
}

const flip = (file: string) => (files: Files) => {
  const bytes = Buffer.from(files.get(file) ?? '');
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  files.set(file, bytes);
};

const cut = (file: string) => (files: Files) => {
  const bytes = files.get(file) ?? Buffer.alloc(0);
  files.set(file, bytes.subarray(0, bytes.length - 9));
};

/** The manifest as one would write it who knows how it is sealed. */
const manifestWith = (change: (manifest: Record<string, unknown>) => object) => (files: Files) => {
  const { seal: _seal, ...manifest } = JSON.parse(String(files.get('manifest.json'))) as Record<string, unknown>;
  const changed = { ...manifest, ...change(manifest) };
  const seal = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  files.set('manifest.json', Buffer.from(JSON.stringify({ ...changed, seal })));
};

const OTHER = 'default/2026/01/01T000000Z';

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a flipped byte in devices.txt': {
    does: flip('devices.txt'),
    code: 'backupDamaged',
    says: /devices\.txt/,
    state: 'damaged',
  },
  'a flipped byte in configurations.txt': {
    does: flip('configurations.txt'),
    code: 'backupDamaged',
    says: /configurations\.txt/,
    state: 'damaged',
  },
  'a flipped byte in extras.ndjson': {
    does: flip('extras.ndjson'),
    code: 'backupDamaged',
    says: /extras\.ndjson/,
    state: 'damaged',
  },
  'a flipped byte in the manifest': {
    does: flip('manifest.json'),
    code: 'backupDamaged',
    says: /manifest/,
    state: 'damaged',
  },
  'devices.txt cut off': { does: cut('devices.txt'), code: 'backupDamaged', says: /devices\.txt/, state: 'damaged' },
  'extras.ndjson cut off': {
    does: cut('extras.ndjson'),
    code: 'backupDamaged',
    says: /extras\.ndjson/,
    state: 'damaged',
  },
  'a manifest cut off': { does: cut('manifest.json'), code: 'backupDamaged', says: /manifest/, state: 'damaged' },
  'devices.txt gone': {
    does: (files) => void files.delete('devices.txt'),
    code: 'backupDamaged',
    says: /devices\.txt/,
    state: 'damaged',
  },
  'no manifest': {
    does: (files) => void files.delete('manifest.json'),
    code: 'backupUnfinished',
    says: /not finished/,
    state: 'unfinished',
  },
  'a manifest of a newer version': {
    does: manifestWith(() => ({ version: 2 })),
    code: 'backupNewer',
    says: /newer version/,
    state: 'newer',
  },
  'a manifest of another backup': {
    does: manifestWith(() => ({ backup: OTHER })),
    code: 'backupOfOther',
    says: new RegExp(OTHER),
    state: 'damaged',
  },
  'a manifest of another hub': {
    does: manifestWith(() => ({ hub: 'another-hub' })),
    code: 'backupOfOtherHub',
    says: /another-hub/,
    state: 'good',
  },
  'counts that did not match': {
    does: manifestWith(() => ({ countMismatch: { expected: [100, 120], found: 3 } })),
    code: 'backupCountMismatch',
    says: /has 3 devices/,
    state: 'countMismatch',
  },
};

async function readFiles(stack: TestStack, backup: string): Promise<Files> {
  const files: Files = new Map();
  const container = stack.blobs.getContainerClient('registry-backups');
  for await (const { name } of container.listBlobsFlat({ prefix: `${backup}/` })) {
    files.set(name.slice(backup.length + 1), await container.getBlobClient(name).downloadToBuffer());
  }
  return files;
}

/** Makes the folder hold these files and no other. */
async function writeFiles(stack: TestStack, backup: string, files: Files): Promise<void> {
  const container = stack.blobs.getContainerClient('registry-backups');
  for await (const { name } of container.listBlobsFlat({ prefix: `${backup}/` })) {
    if (!files.has(name.slice(backup.length + 1))) await container.deleteBlob(name);
  }
  for (const [file, bytes] of files) await container.getBlockBlobClient(`${backup}/${file}`).uploadData(bytes);
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** What is refused at once, or by the run that was to do it. */
async function refusal(stack: TestStack, path: string, body: object, what = ''): Promise<Refusal | undefined> {
  const reply = await stack.api('POST', path, body);
  if (reply.status !== 202) return (reply.body as { error: Refusal }).error;
  const run = await stack.finalRun<WorkRun>((reply.body as WorkRun).runId);
  expect(run, what).toMatchObject({ state: 'refused' });
  return run.error;
}

async function listedState(stack: TestStack, name: string): Promise<string | undefined> {
  const { backups } = (await stack.api('GET', 'backups')).body as { backups: { backup: string; state: string }[] };
  return backups.find(({ backup }) => backup === name)?.state;
}

async function makeRegistry(stack: TestStack): Promise<void> {
  for (const deviceId of ['one', 'two', 'three']) {
    await stack.rest('PUT', `/devices/${deviceId}`, { deviceId, capabilities: { iotEdge: deviceId === 'one' } });
  }
  await stack.rest('PUT', '/devices/two/modules/m', { deviceId: 'two', moduleId: 'm', managedBy: 'me' });
  const content = { deviceContent: { 'properties.desired.a': 1 } };
  await stack.rest('PUT', '/configurations/all', { id: 'all', targetCondition: 'tags.a=1', priority: 1, content });
}

describe('a backup that is not what it was', () => {
  it('is named by what is wrong with it, and changes nothing', async () => {
    await shared.use(async (stack) => {
      await makeRegistry(stack);
      const backup = await backUp(stack);
      const sound = await readFiles(stack, backup);
      // So that there is something to restore.
      await stack.rest('DELETE', '/devices/three', undefined, { 'if-match': '*' });
      const before = await stateOf(stack);
      for (const [what, { does, code, says, state }] of Object.entries(DAMAGES)) {
        const files = new Map(sound);
        does(files, backup);
        await writeFiles(stack, backup, files);
        const body = { backup, mode: 'exact', confirm: hubNameOf(stack) };
        const refused = await refusal(stack, 'restores', body, what);
        expect(refused, what).toMatchObject({ code, message: expect.stringMatching(says) });
        expect(await refusal(stack, 'plans', { backup }, what), what).toMatchObject({ code });
        await stack.api('POST', 'backups/verify', { backup }).then(async ({ status, body: run }) => {
          if (status === 202) await stack.finalRun((run as WorkRun).runId);
        });
        expect(await listedState(stack, backup), what).toBe(state);
      }
      expect(differences(before, await stateOf(stack))).toEqual([]);

      await writeFiles(stack, backup, sound);
      const body = { backup, mode: 'exact', confirm: hubNameOf(stack) };
      expect(await doWork(stack, 'restores', body)).toMatchObject({ state: 'completed', result: { create: 1 } });
    });
  });
});

describe('what is asked for wrongly', () => {
  it('is refused by name, and changes nothing', async () => {
    await shared.use(async (stack) => {
      await makeRegistry(stack);
      const confirm = hubNameOf(stack);
      expect(await refusal(stack, 'restores', { backup: 'latest', mode: 'exact', confirm })).toMatchObject({
        code: 'backupUnknown',
      });
      const backup = await backUp(stack);
      const before = await stateOf(stack);
      const asked: readonly (readonly [path: string, body: object, code: string])[] = [
        ['restores', { backup: OTHER, mode: 'exact', confirm }, 'backupUnknown'],
        ['restores', { backup: 'yesterday', mode: 'exact', confirm }, 'backupUnknown'],
        ['restores', { backup, mode: 'exact' }, 'notConfirmed'],
        ['restores', { backup, mode: 'exact', confirm: 'another-hub' }, 'notConfirmed'],
        ['restores', { backup, mode: 'all', confirm }, 'requestInvalid'],
        ['restores', { backup, confirm }, 'requestInvalid'],
        ['restores', { backup, mode: 'exact', to: 'nowhere', confirm }, 'hubUnknown'],
        ['drills', { backup, to: 'default' }, 'hubNotEmpty'],
        ['drills', { backup }, 'requestInvalid'],
        ['delete-all', {}, 'notConfirmed'],
        ['delete-all', { confirm: 'another-hub' }, 'notConfirmed'],
        ['delete-all', { confirm, prefix: '' }, 'requestInvalid'],
        ['plans', { backup: OTHER }, 'backupUnknown'],
        ['backups/verify', { backup: OTHER }, 'backupUnknown'],
      ];
      for (const [path, body, code] of asked) {
        const what = `${path} ${JSON.stringify(body)}`;
        expect(await refusal(stack, path, body, what), what).toMatchObject({ code });
      }
      expect(differences(before, await stateOf(stack))).toEqual([]);
    });
  });

  it('is a backup that is being written', async () => {
    await shared.use(
      async (stack) => {
        await makeRegistry(stack);
        const runId = await beginWork(stack, 'backups');
        const backup = await stack.until('the backup to be listed', async () => {
          const { backups } = (await stack.api('GET', 'backups')).body as { backups: { backup: string }[] };
          return backups[0]?.backup;
        });
        expect(await listedState(stack, backup)).toBe('unfinished');
        const body = { backup, mode: 'exact', confirm: hubNameOf(stack) };
        expect(await refusal(stack, 'restores', body)).toMatchObject({ code: 'backupUnfinished' });
        expect(await stack.finalRun(runId)).toMatchObject({ state: 'completed' });
        expect(await listedState(stack, backup)).toBe('good');
      },
      { jobRunMs: 3_000 },
    );
  });
});

describe('settings of backups that cannot be meant', () => {
  it.each([
    ['BACKUP_KEEP', 'last=0', /BACKUP_KEEP .*keep/],
    ['BACKUP_SCHEDULE', 'every day', /BACKUP_SCHEDULE/],
  ])('%s=%s is refused by name when the app starts', async (name, value, says) => {
    await shared.use(async (stack) => {
      await expect(stack.restartHost({ settings: { [name]: value } })).rejects.toThrow(says);
      await stack.restartHost({ settings: {} });
    });
  });
});
