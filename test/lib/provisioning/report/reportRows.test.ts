import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { IndexEntry } from '../../../../src/lib/provisioning/check/lineIndex.ts';
import { createReportRows } from '../../../../src/lib/provisioning/report/reportRows.ts';
import { tableText } from '../../../../src/lib/provisioning/report/reportTable.ts';
import type { Verdict } from '../../../../src/lib/runs/outcomes.ts';

const device = (line: number, id: string): IndexEntry => ({ kind: 'device', line, id, mode: 'create' });
const succeeded: Verdict = { outcome: 'succeeded' };

describe('the rows of a report', () => {
  it.each<{ what: string; entry: IndexEntry; verdict: Verdict; row: string }>([
    { what: 'a device', entry: device(1, 'd-1'), verdict: succeeded, row: '1,d-1,,create,succeeded,,,,,' },
    {
      what: 'a module with every cell',
      entry: { kind: 'module', line: 2, id: 'd', moduleId: 'm', mode: 'update' },
      verdict: { outcome: 'failed', code: 'Throttled', reason: 'Too much.', action: 'Wait.', tries: 3 },
      row: '2,d,m,update,failed,Throttled,,Too much.,Wait.,3',
    },
    {
      what: 'an id and texts that need quotes',
      entry: { kind: 'rejected', line: 3, id: 'a,b', code: 'c', reason: 'r', action: 'a', path: 'tags."x"' },
      verdict: { outcome: 'rejected', code: 'c', reason: 'It has "x", and\nmore', action: 'a' },
      row: '3,"a,b",,,rejected,c,"tags.""x""","It has ""x"", and\nmore",a,',
    },
    {
      what: 'a line of which no id could be read',
      entry: { kind: 'rejected', line: 4, code: 'badJson', reason: 'r', action: 'a' },
      verdict: { outcome: 'rejected', code: 'badJson', reason: 'r', action: 'a' },
      row: '4,,,,rejected,badJson,,r,a,',
    },
  ])('$what', ({ entry, verdict, row }) => {
    expect(createReportRows()(entry, verdict)).toBe(row);
  });

  it('are those of a table made all at once, in whatever order lines end alike', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a"=,;+-@\n\r \'') }));
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const verdict = fc.record({
      outcome: fc.constantFrom('failed' as const, 'unconfirmed' as const, 'succeeded' as const),
      code: maybe(fc.constantFrom('A', 'B', 'failed')),
      reason: maybe(fc.oneof(fc.constant('Because.'), text)),
      action: maybe(fc.oneof(fc.constant('Wait.'), text)),
      tries: maybe(fc.constantFrom(1, 2)),
    }) as fc.Arbitrary<Verdict>;
    const entry = fc.record({ line: fc.nat(), id: text, moduleId: text, path: maybe(fc.constantFrom('tags', 'a,b')) });
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, verdict), { minLength: 1, maxLength: 20 }), (lines) => {
        const rowOf = createReportRows();
        for (const [{ line, id, moduleId, path }, ended] of lines) {
          const { outcome, code = '', reason = '', action = '', tries = '' } = ended;
          const known = { kind: 'rejected' as const, line, id, moduleId, code: 'x', reason: 'x', action: 'x' };
          const row = rowOf(path === undefined ? known : { ...known, path }, ended);
          const cells = [line, id, moduleId, '', outcome, code, path ?? '', reason, action, tries];
          expect(`${row}\n`).toBe(tableText([cells]));
          expect(parse(row, { record_delimiter: '\n' })).toHaveLength(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
