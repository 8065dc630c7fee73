import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { countIdentities, measureLines } from '../../../src/lib/registryLines/measureLines.ts';
import { isIdentityLine } from '../../../src/lib/registryLines/snapshot.ts';
import { splitLines } from '../../../src/lib/storage/ndjson.ts';

async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const CASES: readonly (readonly [
  name: string,
  text: string,
  expected: { readonly identities: number; readonly modules?: number; readonly fault?: object },
])[] = [
  ['nothing', '', { identities: 0 }],
  [
    'devices and modules',
    '{"id":"a"}\n{"id":"ä","moduleId":null}\n{"id":"a","moduleId":"m"}\n',
    { identities: 3, modules: 1 },
  ],
  ['no newline at the end', '{"id":"a"}\n{"id":"b"}', { identities: 2 }],
  ['blank lines', '\n{"id":"a"}\r\n \t \r\n\n{"id":"b"}\n  \n', { identities: 2 }],
  ['a first line of plain text', 'Keys are left out.\n{"id":"a"}\n', { identities: 1 }],
  ['a byte order mark', '\ufeff{"id":"a"}\n{"id":"b"}\n', { identities: 2 }],
  ['plain text later', '{"id":"a"}\nsorry\n{"id":"b"}\n', { identities: 1, fault: { line: 2, byte: 11 } }],
  [
    'a line behind blanks, which no reader takes',
    '{"id":"ä"}\n {"id":"b"}\n',
    { identities: 1, fault: { line: 2, byte: 12 } },
  ],
  ['a line that is cut off', '{"id":"a"}\n\n{"id":"b","tags":{"si', { identities: 1, fault: { line: 3, byte: 12 } }],
  ['no id', '{"id":5}\n{"Id":"b"}\n', { identities: 0, fault: { line: 1, byte: 0 } }],
];

describe.each(CASES)('lines of an export: %s', (_, text, { identities, modules = 0, fault }) => {
  const bytes = Buffer.from(text);

  it.each([1, 2, 3, 7, 1_000])('are measured alike in pieces of %i bytes', async (size) => {
    const count = countIdentities();
    const measured = await measureLines(inPieces(bytes, size), count.add);
    expect(measured).toEqual({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      ...(fault === undefined ? {} : { fault }),
    });
    expect([count.identities(), count.modules()]).toEqual([identities, modules]);
  });

  it('are counted as readers take them', async () => {
    if (fault !== undefined) return;
    const read: string[] = [];
    for await (const batch of splitLines(inPieces(bytes, 5))) read.push(...batch.filter(isIdentityLine));
    expect(read).toHaveLength(identities);
  });
});

it('a line of unheard length is not held in memory, and is a fault', async () => {
  async function* endless() {
    yield Buffer.from('{"id":"a"}\n{"id":"');
    for (let piece = 0; piece < 17; piece += 1) yield Buffer.alloc(1024 * 1024, 'x');
  }
  const count = countIdentities();
  expect(await measureLines(endless(), count.add)).toMatchObject({ fault: { line: 2, byte: 11 } });
  expect(count.identities()).toBe(1);
});

it('measuring ends when it is aborted', async () => {
  const chunks = inPieces(Buffer.from('{"id":"a"}\n'), 2);
  await expect(measureLines(chunks, () => true, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});
