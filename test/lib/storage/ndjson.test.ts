import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { linesOf, rowsAlong, rowsOf, splitLines, writeLines } from '../../../src/lib/storage/ndjson.ts';
import { createStorage } from '../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';

let azurite: Azurite;
let container: ContainerClient;
let blobs = 0;

beforeAll(async () => {
  azurite = await startAzurite();
  const { connectionString } = azurite;
  container = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('a connection string needs no credential');
  }).container('lines');
  await container.create();
});
afterAll(() => azurite.stop());

const newBlob = (): BlockBlobClient => container.getBlockBlobClient(`blob-${blobs++}`);

async function blobOf(content: string | Buffer): Promise<BlockBlobClient> {
  const blob = newBlob();
  await blob.upload(content, Buffer.byteLength(content));
  return blob;
}

/** Longer than what a download hands out at a time. */
const LONG = 'ä'.repeat(300_000);
const MANY = Array.from({ length: 20_000 }, (_, at) => `line ${at}`);

describe('the lines of a blob', () => {
  it.each([
    { what: 'of an empty blob', content: '', lines: [] },
    { what: 'of a lone newline', content: '\n', lines: [''] },
    { what: 'whose last has no newline', content: 'a\nb', lines: ['a', 'b'] },
    { what: 'whose last has one', content: 'a\nb\n', lines: ['a', 'b'] },
    { what: 'with the line ends of Windows', content: 'a\r\nb\r\n\r\nc\r', lines: ['a', 'b', '', 'c'] },
    { what: 'with a carriage return inside', content: 'a\rb\n', lines: ['a\rb'] },
    { what: 'that are blank in between', content: 'a\n\n\nb\n', lines: ['a', '', '', 'b'] },
    { what: 'one of which spans many chunks', content: `a\n${LONG}\nb\n`, lines: ['a', LONG, 'b'] },
    { what: 'which is one, longer than a chunk', content: LONG, lines: [LONG] },
    { what: 'of many chunks', content: MANY.join('\n'), lines: MANY },
  ])('$what', async ({ content, lines }) => {
    expect(await Array.fromAsync(linesOf(await blobOf(content)))).toEqual(lines);
  });

  const bytes = Buffer.from('one\r\ntwä\n\nfour');
  it.each(Array.from(bytes, (_, index) => index + 1))('are the same from chunks of %i bytes', async (size) => {
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    const lines = (await Array.fromAsync(splitLines(chunks()))).flat();
    expect(lines).toEqual(['one', 'twä', '', 'four']);
  });

  it('end for good where the reader leaves them', async () => {
    const lines = linesOf(await blobOf(MANY.join('\n')));
    for await (const line of lines) if (line === 'line 3') break;
    expect(await lines.next()).toEqual({ done: true, value: undefined });
  });

  it('of a blob that is not there fail when they are first asked for', async () => {
    await expect(linesOf(newBlob()).next()).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('the rows of a blob', () => {
  it('are its lines parsed, by JSON where nothing else is said', async () => {
    const blob = await blobOf('["d1",null]\r\n["d2",7]');
    expect(await Array.fromAsync(rowsOf(blob))).toEqual([
      ['d1', null],
      ['d2', 7],
    ]);
    expect(await Array.fromAsync(rowsOf(blob, (line) => line.length))).toEqual([11, 8]);
  });

  it('fail at the row that cannot be parsed, after those before it', async () => {
    const rows = rowsOf(await blobOf('1\n{\n3\n'));
    expect(await rows.next()).toEqual({ done: false, value: 1 });
    await expect(rows.next()).rejects.toThrow(SyntaxError);
  });
});

describe('rows read along with other lines', () => {
  it.each([
    { what: 'of some of the lines', rows: ['b', 'd'], found: ['b', 'd'], isOver: true },
    { what: 'of none', rows: [], found: [], isOver: true },
    { what: 'of all', rows: ['a', 'b', 'c', 'd'], found: ['a', 'b', 'c', 'd'], isOver: true },
    { what: 'of a line that comes twice, each for itself', rows: ['a', 'a'], found: ['a'], isOver: false },
    { what: 'in another order: those that are passed stay', rows: ['c', 'b', 'd'], found: ['c'], isOver: false },
  ])('$what', async ({ rows, found, isOver }) => {
    const along = await rowsAlong<string>(await blobOf(rows.map((row) => `${JSON.stringify(row)}\n`).join('')));
    const taken: string[] = [];
    for (const line of ['a', 'b', 'c', 'd']) {
      const row = await along.take((candidate) => candidate === line);
      if (row !== undefined) taken.push(row);
    }
    expect({ taken, isOver: along.isOver() }).toEqual({ taken: found, isOver });
  });
});

describe('writing lines', () => {
  it.each([
    { what: 'none', lines: [], text: '' },
    { what: 'one', lines: ['a ä'], text: 'a ä\n' },
    { what: 'a blank one', lines: ['', 'b'], text: '\nb\n' },
  ])('$what: gives their number, and a newline after each', async ({ lines, text }) => {
    const blob = newBlob();
    expect(await writeLines(blob, lines)).toBe(lines.length);
    expect((await blob.downloadToBuffer()).toString()).toBe(text);
    expect((await blob.getProperties()).contentType).toBe('application/x-ndjson; charset=utf-8');
  });

  it('takes what is read elsewhere as it comes, and another content type', async () => {
    const blob = newBlob();
    const source = await blobOf(`${LONG}\r\n${MANY.join('\n')}`);
    expect(await writeLines(blob, linesOf(source), 'text/plain')).toBe(MANY.length + 1);
    expect(await Array.fromAsync(linesOf(blob))).toEqual([LONG, ...MANY]);
    expect((await blob.getProperties()).contentType).toBe('text/plain');
  });

  it('leaves no blob when its source fails', async () => {
    const blob = newBlob();
    const lines = async function* () {
      yield 'a';
      throw new Error('the source broke');
    };
    await expect(writeLines(blob, lines())).rejects.toThrow('the source broke');
    expect(await blob.exists()).toBe(false);
  });
});
