import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { entriesInOrder } from '../../../../src/lib/provisioning/check/entriesInOrder.ts';
import { encodeEntry } from '../../../../src/lib/provisioning/check/lineIndex.ts';
import { createStorage } from '../../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

async function read(lines: readonly number[], inOrder: number | undefined) {
  const { connectionString } = azurite;
  const storage = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('no identity in this test');
  });
  const container = storage.container('index');
  await container.createIfNotExists();
  const text = lines
    .map((line) => `${encodeEntry({ kind: 'device', line, id: `d${line}`, mode: 'create' })}\n`)
    .join('');
  const blob = container.getBlockBlobClient('lines.ndjson');
  await blob.upload(text, text.length);
  const read: number[] = [];
  for await (const { line } of entriesInOrder(blob, inOrder)) read.push(line);
  return read;
}

const upTo = (count: number, step = 1) => Array.from({ length: count }, (_, index) => (index + 1) * step);

describe('the line index', () => {
  it.each([
    { what: 'without late rows', lines: [1, 2, 5], inOrder: undefined },
    { what: 'with late rows between', lines: [1, 4, 6, 2, 3, 5], inOrder: 3 },
    { what: 'with late rows before and after', lines: [2, 3, 1, 4, 9], inOrder: 2 },
    { what: 'with a late row only at the end', lines: [1, 2, 3], inOrder: 2 },
  ])('is read in the order of the file, $what', async ({ lines, inOrder }) => {
    expect(await read(lines, inOrder)).toEqual(lines.toSorted((a, b) => a - b));
  });

  it('is in order over many of the pieces that it arrives in, whichever rows are late', async () => {
    const evens = upTo(30_000, 2);
    const all = upTo(60_000);
    const odds = all.filter((line) => line % 2 === 1);
    expect(await read([...evens, ...odds], evens.length)).toEqual(all);
    expect(await read([1, ...upTo(30_000).map((line) => line + 1)], 1)).toEqual(upTo(30_001));
  });
});
