import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findBackup, hubOfLatest } from '../../../src/lib/backup/findBackup.ts';
import { createStorage, type Storage } from '../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { manifestOf, putBackup } from './sampleBackup.ts';

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

describe('the backup that is meant', () => {
  const unknown = (message: string, action: string) =>
    expect.objectContaining({
      code: 'backupUnknown',
      message: expect.stringContaining(message),
      action: expect.stringContaining(action),
    });

  it('is none before the first', async () => {
    await expect(findBackup(storage, 'a/latest', 'b')).rejects.toEqual(unknown('the hub a', 'backup --hub a.'));
    await expect(findBackup(storage, 'latest', undefined)).rejects.toEqual(unknown('several hubs', 'none yet'));
    await expect(findBackup(storage, '../latest', 'a')).rejects.toEqual(unknown('no name', 'HUB/latest'));
  });

  it('is the newest good one of the hub that is meant, and never that of another', async () => {
    const [older, newest, mismatch] = [18, 19, 20].map((day) => `a/2026/11/${day}T020000Z`) as [string, string, string];
    for (const name of [older, newest, 'c/2026/11/20T020000Z']) await putBackup(storage, name);
    await putBackup(storage, mismatch, manifestOf(mismatch, { countMismatch: { expected: [90, 110], found: 2 } }));
    await putBackup(storage, 'b/2026/11/20T020000Z', null);

    expect(await findBackup(storage, 'latest', 'a')).toBe(newest);
    expect(await findBackup(storage, 'A/latest', 'b')).toBe(newest);
    expect(await findBackup(storage, `${mismatch}/`, 'b')).toBe(mismatch);
    for (const [text, hub] of [
      ['latest', 'b'],
      ['b/latest', undefined],
    ] as const) {
      await expect(findBackup(storage, text, hub)).rejects.toEqual(unknown('the hub b', 'a/latest, c/latest'));
    }
    await expect(findBackup(storage, 'latest', undefined)).rejects.toEqual(
      unknown('several hubs', 'a/latest, c/latest'),
    );
  });
});

it.each([
  [['east'], 'east'],
  [['east', 'default', 'west'], 'default'],
  [['east', 'west'], undefined],
])('latest, when the app has the hubs %j, is of %s', (aliases, hub) => {
  expect(hubOfLatest(new Map(aliases.map((alias) => [alias, ''])))).toBe(hub);
});
