import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { locateUtf8Error } from '../../../src/lib/textFile/utf8Error.ts';

it('finds a byte exactly in what is no UTF-8, and everything before it is', () => {
  const bytes = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => [...Buffer.from(text)]),
      fc.constantFrom(
        [0xff],
        [0xc0, 0x80],
        [0xe0, 0x80, 0x80],
        [0xed, 0xa0, 0x80],
        [0xf0, 0x80, 0x80, 0x80],
        [0xf4, 0x90, 0x80, 0x80],
        [0xe2, 0x82],
        [0x80],
        [0xf1, 0x80, 0x80],
      ),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(bytes, (parts) => {
      const input = Buffer.from(parts.flat());
      const at = locateUtf8Error(input);
      expect(at === -1).toBe(isUtf8(input));
      if (at >= 0) expect(isUtf8(input.subarray(0, at))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
