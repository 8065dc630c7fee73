import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { tableText } from '../../../../src/lib/provisioning/report/reportTable.ts';
import { readReport } from '../../../helpers/readReport.ts';

const cellsOf = (text: string, delimiter = ','): string[][] =>
  parse(text, { delimiter, relax_quotes: true, relax_column_count: true, quote: delimiter === ',' ? '"' : null });

test.each([
  ['=1+1', "'=1+1"],
  ['+49', "'+49"],
  ['-2', "'-2"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t'=1"],
  ['\r=1', "'\r'=1"],
  ['\ttab', "'\ttab"],
  [' =1', "' =1"],
  ['"=1"', `'"=1"`],
  [' " -1', `' " -1`],
  ['\uff1d1', "'\uff1d1"],
  ["'", "''"],
  ["'=1", "''=1"],
  ["''x", "'''x"],
  ['a;=1', "a;'=1"],
  ["a;'b", "a;''b"],
  ['a\n=1', "a\n'=1"],
  ['a-1', 'a-1'],
  ['pump=1', 'pump=1'],
  ["it's", "it's"],
  ['', ''],
])('the text %j stands in a report as %j', (text, cell) => {
  expect(cellsOf(tableText([['x', text]]))).toEqual([['x', cell]]);
});

test('numbers stay as they are', () => {
  expect(tableText([[1, -2, 'a']])).toBe('1,-2,a\n');
});

const text = fc.string({ unit: fc.constantFrom(...'=+-@\'" \t\r\n;,ab\uff1d\uff20'), maxLength: 12 });

test('what is read back by the rule of the docs is what was written', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.string()), { minLength: 1 }), (rows) => {
      const back = readReport(`line,a,b\n${tableText(rows.map(([a, b], index) => [index, a, b]))}`);
      expect(back.map(({ a, b }) => [a, b])).toEqual(rows);
    }),
    { numRuns: 2000 },
  );
});

test('no cell begins like a formula, whether commas, semicolons or tabs part the cells', () => {
  fc.assert(
    fc.property(text, (one) => {
      const table = tableText([[1, one]]);
      const cells = [',', ';', '\t'].flatMap((delimiter) => cellsOf(table, delimiter).flat());
      for (const cell of cells) expect(cell).not.toMatch(/^[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20]/);
    }),
    { numRuns: 2000 },
  );
});
