import { describe, expect, it } from 'vitest';
import { createLineSplitter, type InputLine } from '../../../../local/hub/jobs/lineSplitter.ts';

function split(bytes: Buffer, chunkSize: number, offset = 0, maxBytes = 1000): InputLine[] {
  const splitter = createLineSplitter(offset, maxBytes);
  const lines: InputLine[] = [];
  for (let at = offset; at < bytes.length; at += chunkSize) {
    lines.push(...splitter.feed(bytes.subarray(at, Math.min(bytes.length, at + chunkSize))));
  }
  const last = splitter.finish();
  return last === undefined ? lines : [...lines, last];
}

describe('the line splitter', () => {
  const bytes = Buffer.from('erste Zeile äöü\r\n\n{"a":"€"}\nletzte');

  it('finds the same lines however the bytes are cut', () => {
    for (let size = 1; size <= bytes.length; size += 1) {
      const lines = split(bytes, size);
      expect(lines.map(({ text }) => text)).toEqual(['erste Zeile äöü', '', '{"a":"€"}', 'letzte']);
      expect(lines.at(-1)?.end).toBe(bytes.length);
    }
  });

  it('can go on after any line, at the offset that it gave', () => {
    for (const [index, { end }] of split(bytes, 5).entries()) {
      expect(split(bytes, 3, end).map(({ text }) => text)).toEqual(
        split(bytes, 7)
          .slice(index + 1)
          .map(({ text }) => text),
      );
    }
  });

  it('keeps only the beginning of an over-long line, and the lines after it', () => {
    const long = Buffer.from(`a\n${'x'.repeat(50)}\nb\n`);
    for (const size of [1, 7, 60]) {
      const lines = split(long, size, 0, 10);
      expect(lines.map(({ text, overlong }) => [text, overlong])).toEqual([
        ['a', false],
        ['x'.repeat(10), true],
        ['b', false],
      ]);
    }
  });
});
