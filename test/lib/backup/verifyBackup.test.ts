import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listBackups, openBackup } from '../../../src/lib/backup/catalogue.ts';
import { removeBackup } from '../../../src/lib/backup/removeBackup.ts';
import { verifyBackup } from '../../../src/lib/backup/verifyBackup.ts';
import { BACKUPS_CONTAINER, createStorage, type Storage } from '../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { FILES, fileOf, manifestOf, put, putBackup } from './sampleBackup.ts';

let azurite: Azurite;
let storage: Storage;
let day = 0;

beforeAll(async () => {
  azurite = await startAzurite();
  const { connectionString } = azurite;
  storage = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('a connection string needs no credential');
  });
});
afterAll(() => azurite.stop());

const now = () => new Date('2026-11-22T04:00:00Z');
const newName = () =>
  `a/2026/${String(Math.floor(day / 28) + 1).padStart(2, '0')}/${String((day++ % 28) + 1).padStart(2, '0')}T020000Z`;
const verify = (name: string) => verifyBackup(storage, name, { now });
const stateOf = async (name: string) => (await listBackups(storage, 'a')).find(({ backup }) => backup === name)?.state;

describe('the verification of a backup', () => {
  it('finds one good that is as it was written, and a listing shows it', async () => {
    const name = newName();
    await putBackup(storage, name);
    expect(await verify(name)).toEqual({ backup: name, at: now().toISOString(), result: 'good', problems: [] });
    expect((await openBackup(storage, name)).lastVerification).toEqual({
      at: now().toISOString(),
      result: 'good',
      problems: [],
    });
  });

  it('takes the form of an export without keys: a first line of plain text, and empty lines', async () => {
    const name = newName();
    const files = { ...FILES, 'devices.txt': `Keys are not exported.\r\n${FILES['devices.txt']}\r\n` };
    await putBackup(storage, name, manifestOf(name, {}, files), files);
    expect(await verify(name)).toMatchObject({ result: 'good' });
  });

  const devices = FILES['devices.txt'];
  const flipped = (text: string, at: number) => {
    const bytes = Buffer.from(text);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
  const inWord = devices.indexOf('enabled');
  it.each([
    ['a flipped byte within a text', flipped(devices, inWord), [/^the content of devices\.txt .* sha256 differs$/]],
    [
      'a flipped byte that breaks a line',
      flipped(devices, devices.indexOf('\n') + 1),
      [/sha256 differs$/, /^line 2 of devices\.txt, at byte 31, is cut off or no identity$/],
    ],
    [
      'a cut between lines',
      devices.slice(0, devices.lastIndexOf('{')),
      [/^devices\.txt has 77 bytes, and had \d+ when/],
    ],
    [
      'a cut within a line',
      devices.slice(0, -10),
      [/^devices\.txt has \d+ bytes/, /^line 3 of devices\.txt, at byte 77,/],
    ],
    ['nothing left', '', [/^devices\.txt has 0 bytes/]],
    ['zeros', Buffer.alloc(Buffer.byteLength(devices)), [/sha256 differs$/, /^line 1 of|^line 2 of/]],
  ])('names %s', async (_what, content, says) => {
    const name = newName();
    await putBackup(storage, name);
    await put(storage, `${name}/devices.txt`, content);
    const { result, problems } = await verify(name);
    expect(result).toBe('damaged');
    expect(problems.length).toBeGreaterThan(0);
    for (const [index, problem] of problems.entries()) expect(problem).toMatch(says[index] ?? /^never/);
    expect(await stateOf(name)).toBe('damaged');
    await expect(openBackup(storage, name)).rejects.toMatchObject({ code: 'backupDamaged' });
  });

  it('names a file that is missing, and every file that is damaged', async () => {
    const name = newName();
    await putBackup(storage, name, manifestOf(name), {
      'devices.txt': devices,
      'configurations.txt': 'null      \n{}',
    });
    const { problems } = await verify(name);
    expect(problems).toEqual([
      expect.stringMatching(/^configurations\.txt has 13 bytes/),
      'line 1 of configurations.txt, at byte 0, is cut off or no configuration',
      'extras.ndjson is missing',
    ]);
  });

  it('names counts of a manifest that are not those of its files', async () => {
    const name = newName();
    const { files, ...manifest } = manifestOf(name, { devices: 3, configurations: 0 });
    const wrong = { ...files, 'devices.txt': { ...fileOf(devices), lines: 4 } };
    await putBackup(storage, name, { ...manifest, files: wrong });
    expect((await verify(name)).problems).toEqual([
      'devices.txt has 3 lines, and its manifest says 4',
      'devices.txt has 2 devices, and its manifest says 3',
      'configurations.txt has 1 configurations, and its manifest says 0',
    ]);
  });

  it('finds one good again whose files were put back', async () => {
    const name = newName();
    await putBackup(storage, name);
    await put(storage, `${name}/devices.txt`, flipped(devices, inWord));
    expect(await verify(name)).toMatchObject({ result: 'damaged' });
    await put(storage, `${name}/devices.txt`, devices);
    expect(await stateOf(name)).toBe('damaged');
    expect(await verify(name)).toMatchObject({ result: 'good' });
    expect(await stateOf(name)).toBe('good');
  });

  it('names a manifest that is damaged, and keeps nothing where there is nothing to compare', async () => {
    const [cut, unfinished, newer, moved] = [newName(), newName(), newName(), newName()];
    await putBackup(storage, cut, { version: 1 });
    expect(await verify(cut)).toMatchObject({ result: 'damaged', problems: [expect.stringContaining('manifest')] });
    await putBackup(storage, unfinished, null);
    await putBackup(storage, newer, { version: 2 });
    await putBackup(storage, moved, manifestOf(cut));
    await expect(verify(unfinished)).rejects.toMatchObject({ code: 'backupUnfinished' });
    await expect(verify(newer)).rejects.toMatchObject({ code: 'backupNewer' });
    await expect(verify(moved)).rejects.toMatchObject({ code: 'backupOfOther' });
    await expect(verify('a/2020/01/01T000000Z')).rejects.toMatchObject({ code: 'backupUnknown' });
    await expect(verify('a')).rejects.toMatchObject({ code: 'backupUnknown' });
    for (const name of [unfinished, newer, moved]) {
      const blob = storage.container(BACKUPS_CONTAINER).getBlockBlobClient(`${name}/verification.json`);
      expect(await blob.exists()).toBe(false);
    }
  });

  it('stops when it is told to, and keeps nothing', async () => {
    const name = newName();
    await putBackup(storage, name);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(verifyBackup(storage, name, { now, signal })).rejects.toThrow('enough');
    expect((await openBackup(storage, name)).lastVerification).toBeUndefined();
  });
});

async function refuseAsImmutable(): Promise<never> {
  throw Object.assign(new Error('immutable'), { statusCode: 409, code: 'BlobImmutableDueToPolicy' });
}

/** A storage in which a policy keeps blobs from being deleted and written over. */
function immutable(): Storage {
  const refuse = refuseAsImmutable;
  const container = storage.container(BACKUPS_CONTAINER);
  const original = container.getBlockBlobClient.bind(container);
  const getBlockBlobClient = (name: string) => Object.assign(original(name), { delete: refuse, upload: refuse });
  return { ...storage, container: () => Object.assign(container, { getBlockBlobClient }) };
}

describe('a backup that is immutable', () => {
  it('is verified, though the result cannot be kept, and stays whole when it was to be removed', async () => {
    const name = newName();
    await putBackup(storage, name);
    expect(await verifyBackup(immutable(), name, { now })).toMatchObject({ result: 'good', notKept: true });
    expect(await removeBackup(immutable(), name)).toBe('immutable');
    expect(await stateOf(name)).toBe('good');
  });
});

interface Held {
  readonly container?: object;
  /** What is said of some blobs; they cannot be deleted, unless `released`. */
  readonly files?: readonly string[];
  readonly properties?: object;
  readonly released?: true;
}

/** A storage that keeps some of the files of a backup, and says so as the service does. */
function holding({ container: ofContainer = {}, files = [], properties = {}, released }: Held): Storage {
  const container = storage.container(BACKUPS_CONTAINER);
  const open = container.getBlockBlobClient.bind(container);
  const ask = container.getProperties.bind(container);
  return {
    ...storage,
    container: () =>
      Object.assign(container, {
        getProperties: async () => ({ ...(await ask()), ...ofContainer }),
        getBlockBlobClient: (blobName: string) => {
          const blob = open(blobName);
          if (!files.some((file) => blobName.endsWith(file))) return blob;
          const askBlob = blob.getProperties.bind(blob);
          const getProperties = async () => ({ ...(await askBlob()), ...properties });
          return Object.assign(blob, { getProperties, ...(released ? {} : { delete: refuseAsImmutable }) });
        },
      }),
  };
}

describe('a backup of which storage keeps a part', () => {
  const day = 24 * 60 * 60_000;
  const devicesOnly = ['devices.txt'];
  it.each<[string, Held]>([
    ['a legal hold of one file', { files: devicesOnly, properties: { legalHold: true } }],
    [
      'a policy of one file',
      { files: devicesOnly, properties: { immutabilityPolicyExpiresOn: new Date(Date.now() + day) } },
    ],
    ['a legal hold of the container', { container: { hasLegalHold: true } }],
    [
      'a policy of the container, when its verification is younger',
      { container: { hasImmutabilityPolicy: true }, files: ['verification.json'] },
    ],
  ])('stays whole: %s', async (_what, held) => {
    const name = newName();
    await putBackup(storage, name);
    await verify(name);
    expect(await removeBackup(holding(held), name)).toBe('immutable');
    expect((await openBackup(storage, name)).lastVerification).toMatchObject({ result: 'good' });
    expect(await verify(name)).toMatchObject({ result: 'good' });
  });

  it.each<[string, Held]>([
    [
      'of its files are over',
      {
        files: devicesOnly,
        properties: { legalHold: false, immutabilityPolicyExpiresOn: new Date(Date.now() - day) },
        released: true,
      },
    ],
    ['of the container keep it no longer', { container: { hasImmutabilityPolicy: true, hasLegalHold: false } }],
  ])('is removed once policies %s', async (_what, held) => {
    const name = newName();
    await putBackup(storage, name);
    await verify(name);
    expect(await removeBackup(holding(held), name)).toBe('removed');
    expect(await stateOf(name)).toBeUndefined();
  });
});

describe('a backup that is removed', () => {
  it('is gone with all its files, and to remove it once more is no error', async () => {
    const [name, other] = [newName(), newName()];
    await putBackup(storage, name);
    await putBackup(storage, other);
    await verify(name);
    expect(await removeBackup(storage, name)).toBe('removed');
    expect(await removeBackup(storage, name)).toBe('removed');
    expect(await stateOf(name)).toBeUndefined();
    expect(await stateOf(other)).toBe('good');
  });
});
