import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { copyBlob, copyVerified } from '../../../src/lib/storage/copyBlob.ts';
import { readText } from '../../../src/lib/storage/readText.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { testContext } from '../../helpers/provisioningContext.ts';

const TEXT = '{"id":"a"}\n{"id":"ü"}\n';
const sha256 = createHash('sha256').update(TEXT).digest('hex');
const sleep = async () => undefined;

let azurite: Azurite;
let [from, to]: ContainerClient[] = [];
let names = 0;
beforeAll(async () => {
  azurite = await startAzurite();
  const { storage } = testContext(azurite.connectionString);
  [from, to] = [storage.container('staging'), storage.container('backups')];
  await Promise.all([from.createIfNotExists(), to.createIfNotExists()]);
});
afterAll(() => azurite.stop());

async function source(): Promise<{ blob: BlockBlobClient; copy: BlockBlobClient }> {
  const name = `file-${++names}`;
  const [blob, copy] = [from, to].map((container) => container?.getBlockBlobClient(name));
  if (blob === undefined || copy === undefined) throw new Error('There are no containers.');
  await blob.upload(TEXT, Buffer.byteLength(TEXT));
  return { blob, copy };
}

describe('a copy', () => {
  it('is what was verified, however many make it', async () => {
    const { blob, copy } = await source();
    const copies = await Promise.all([1, 2, 3].map(() => copyVerified({ blob, sha256 }, copy, sleep)));
    const there = await readText(copy);
    expect(there.text).toBe(TEXT);
    expect(new Set(copies)).toEqual(new Set([there.etag]));
  });

  it('that is whole stays as it is, and one that is torn is made anew', async () => {
    const { blob, copy } = await source();
    const { etag: whole } = await copy.upload(TEXT, Buffer.byteLength(TEXT));
    expect(await copyVerified({ blob, sha256 }, copy, sleep)).toBe(whole);
    await copy.upload(TEXT.slice(0, 9), 9);
    expect(await copyVerified({ blob, sha256 }, copy, sleep)).toBe((await readText(copy)).etag);
    expect((await readText(copy)).text).toBe(TEXT);
  });

  it('is none of what was written over since it was verified', async () => {
    const { blob, copy } = await source();
    await blob.upload('{}', 2);
    await expect(copyVerified({ blob, sha256 }, copy, sleep)).rejects.toThrow('differs from what was verified');
  });

  it('that nobody has verified is made once, anew when its source was written after it, and not without one', async () => {
    const { blob, copy } = await source();
    const [first, again] = [await copyBlob(blob, copy, sleep), await copyBlob(blob, copy, sleep)];
    expect(again).toBe(first);
    expect(await readText(copy)).toMatchObject({ text: TEXT, etag: first });
    // Storage tells times in seconds.
    await setTimeout(1_100);
    await blob.upload('{}', 2);
    await copyBlob(blob, copy, sleep);
    expect((await readText(copy)).text).toBe('{}');
    await blob.delete();
    expect(await copyBlob(blob, copy, sleep)).toBeUndefined();
  });
});
