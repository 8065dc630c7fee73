import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listBackups, openBackup, requireGood } from '../../../src/lib/backup/catalogue.ts';
import { claimBackupName } from '../../../src/lib/backup/claimName.ts';
import { findBackup, newestGood } from '../../../src/lib/backup/findBackup.ts';
import { BACKUPS_CONTAINER, createStorage, type Storage } from '../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { FILES, manifestOf, put, putBackup } from './sampleBackup.ts';

let azurite: Azurite;
let storage: Storage;

beforeAll(async () => {
  azurite = await startAzurite();
  const { connectionString } = azurite;
  storage = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('a connection string needs no credential');
  });
});
afterAll(() => azurite.stop());

const coded = (code: string, says = '') => expect.objectContaining({ code, message: expect.stringContaining(says) });

describe('the catalogue', () => {
  it('is empty before the first backup', async () => {
    expect(await listBackups(storage)).toEqual([]);
    expect(await newestGood(storage, 'a')).toBeUndefined();
    await expect(openBackup(storage, 'a/2026/11/20T020000Z')).rejects.toEqual(coded('backupUnknown', 'a/2026/11/20'));
  });

  it('shows each backup with its state, newest first, and never chooses one that is not good', async () => {
    const [good, older, unfinished, mismatch, cut, lacking, newer, moved, found] = [
      20, 19, 21, 22, 23, 24, 25, 26, 27,
    ].map((day) => `a/2026/11/${day}T020000Z`) as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    await putBackup(storage, good);
    await putBackup(storage, older);
    await putBackup(storage, unfinished, null);
    await putBackup(storage, mismatch, manifestOf(mismatch, { countMismatch: { expected: [90, 110], found: 2 } }));
    await putBackup(storage, cut);
    await put(storage, `${cut}/devices.txt`, FILES['devices.txt'].slice(0, -1));
    await putBackup(storage, lacking, manifestOf(lacking), { 'devices.txt': FILES['devices.txt'] });
    await putBackup(storage, newer, { version: 2 });
    await putBackup(storage, moved, manifestOf(good));
    await putBackup(storage, found);
    const verification = { at: '2026-11-28T04:00:00.000Z', result: 'damaged', problems: ['devices.txt is other'] };
    await put(storage, `${found}/verification.json`, JSON.stringify(verification));
    await putBackup(storage, 'b/2026/11/20T020000Z');
    await put(storage, 'a/notes.txt', 'not ours');

    expect((await listBackups(storage, 'a')).map(({ backup, state }) => [backup, state])).toEqual([
      [found, 'damaged'],
      [moved, 'damaged'],
      [newer, 'newer'],
      [lacking, 'damaged'],
      [cut, 'damaged'],
      [mismatch, 'countMismatch'],
      [unfinished, 'unfinished'],
      [good, 'good'],
      [older, 'good'],
    ]);
    expect(await newestGood(storage, 'a')).toMatchObject({
      backup: good,
      hub: 'a',
      at: '2026-11-20T02:00:00.000Z',
      devices: 2,
      modules: 1,
      configurations: 1,
      keys: 'included',
    });
    expect((await listBackups(storage)).map(({ hub }) => hub).filter((hub) => hub === 'b')).toHaveLength(1);
    expect(await findBackup(storage, 'a/latest', undefined)).toBe(good);

    const open = (name: string) => openBackup(storage, name);
    await expect(open(unfinished)).rejects.toEqual(coded('backupUnfinished', unfinished));
    await expect(open(cut)).rejects.toEqual(coded('backupDamaged', 'devices.txt has'));
    await expect(open(lacking)).rejects.toEqual(coded('backupDamaged', 'configurations.txt is missing'));
    await expect(open(newer)).rejects.toEqual(coded('backupNewer', 'version 2'));
    await expect(open(moved)).rejects.toEqual(coded('backupOfOther', `of ${good}`));
    await expect(open(found)).rejects.toEqual(coded('backupDamaged', 'devices.txt is other'));
    await expect(open('a/2020/11/20T020000Z')).rejects.toEqual(coded('backupUnknown'));
    await expect(open('../secrets')).rejects.toEqual(coded('backupUnknown'));
    await expect(open(mismatch).then(requireGood)).rejects.toEqual(coded('backupCountMismatch', '90 to 110'));
  });

  it('shows one in the archive tier as such, and what was found in it before, and chooses another', async () => {
    const [first, second, mismatch] = ['e/2026/11/22T020000Z', 'e/2026/11/21T020000Z', 'e/2026/11/20T020000Z'] as const;
    await putBackup(storage, first);
    await putBackup(storage, second);
    await putBackup(storage, mismatch, manifestOf(mismatch, { countMismatch: { expected: [90, 110], found: 2 } }));
    const found = { at: '2026-11-28T04:00:00.000Z', result: 'good', problems: [] };
    await put(storage, `${first}/verification.json`, JSON.stringify(found));
    const archive = (blobName: string) =>
      storage.container(BACKUPS_CONTAINER).getBlockBlobClient(blobName).setAccessTier('Archive');
    await archive(`${first}/verification.json`);
    expect((await listBackups(storage, 'e')).map(({ state }) => state)).toEqual(['good', 'good', 'countMismatch']);
    await archive(`${first}/extras.ndjson`);
    await archive(`${mismatch}/extras.ndjson`);
    expect((await listBackups(storage, 'e')).map(({ state }) => state)).toEqual(['archived', 'good', 'countMismatch']);
    expect(await findBackup(storage, 'e/latest', undefined)).toBe(second);
    await expect(openBackup(storage, first)).rejects.toEqual(coded('backupArchived', 'extras.ndjson'));
  });

  it('opens a backup at the version that was there, and reads no other', async () => {
    const name = 'c/2026/11/20T020000Z';
    await putBackup(storage, name);
    const backup = await openBackup(storage, name);
    requireGood(backup);
    expect(await Array.fromAsync(backup.lines('devices.txt'))).toEqual(FILES['devices.txt'].trimEnd().split('\n'));
    await put(storage, `${name}/devices.txt`, FILES['devices.txt'].replace('d1', 'd2'));
    await expect(Array.fromAsync(backup.lines('devices.txt'))).rejects.toMatchObject({ statusCode: 412 });
  });
});

describe('the name of a new backup', () => {
  it('is taken once: by the run that asks again, and the next second by another', async () => {
    const startedAt = '2026-11-20T02:00:00.500Z';
    const claim = (runId: string) => claimBackupName(storage, 'd', { runId, startedAt });
    expect(await claim('r1')).toBe('d/2026/11/20T020000Z');
    expect(await claim('r2')).toBe('d/2026/11/20T020001Z');
    expect(await claim('r1')).toBe('d/2026/11/20T020000Z');
    expect((await Promise.all(['r3', 'r4'].map(claim))).sort()).toEqual([
      'd/2026/11/20T020002Z',
      'd/2026/11/20T020003Z',
    ]);
    expect((await listBackups(storage, 'd')).map(({ state }) => state)).toEqual(Array(4).fill('unfinished'));
  });
});
