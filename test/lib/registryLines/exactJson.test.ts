import fc from 'fast-check';
import { expect, test } from 'vitest';

import { isSame } from '../../../src/lib/registryLines/differences.ts';
import { mayBeRounded, parseAsWritten } from '../../../src/lib/registryLines/exactJson.ts';

/** A number as a file may write it, few of them far apart: many pairs are the same, or nearly. */
const number = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.constantFrom('0', '1', '10', '9007199254740992', '9007199254740993', '100000000000000000000'),
    zeros: fc.constantFrom('', '0', '00'),
    fraction: fc.constantFrom('', '.0', '.5', '.50', '.10000000000000000', '.10000000000000000001'),
    power: fc.constantFrom('', 'e0', 'e2', 'E+002', 'e-2', 'e-020', 'e308', 'e309', 'e-324', 'e-400', 'e4000'),
  })
  .map(({ sign, whole, zeros, fraction, power }) => `${sign}${whole}${whole === '0' ? '' : zeros}${fraction}${power}`);

/** The same value times 10^5000: whole. */
function scaled(text: string): bigint {
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return (
    BigInt(whole.replace('-', '') + fraction) *
    10n ** BigInt(5000 + Number(power) - fraction.length) *
    (mantissa.startsWith('-') ? -1n : 1n)
  );
}

test('numbers are the same if and only if they are written for the same value', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [one, other] = [`{"a": ${a}}`, `{"a":[${b}]}`].map((text) => parseAsWritten(text));
      const same = isSame((one as { a: unknown }).a, (other as { a: unknown[] }).a[0]);
      expect(same).toBe(scaled(a) === scaled(b));
    }),
    { numRuns: 2000 },
  );
});

test('what JSON.parse may round is known by its text', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      if (mayBeRounded(`[${a}]`) || mayBeRounded(`{"x": ${b}}`)) return;
      expect(JSON.parse(a) === JSON.parse(b)).toBe(scaled(a) === scaled(b));
    }),
    { numRuns: 2000 },
  );
  const plain =
    '{"id":"a","scope":"ms-azure-iot-edge://gw-637123456789012345","key":"MTIzNDU2Nzg5MDEyMzQ1Njc4","n":[12345.5,1e22]}';
  expect(mayBeRounded(plain)).toBe(false);
});
