import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import type { IndexEntry } from '../../../../src/lib/provisioning/check/lineIndex.ts';
import { createReportRows } from '../../../../src/lib/provisioning/report/reportRows.ts';
import { tableText } from '../../../../src/lib/provisioning/report/reportTable.ts';
import type { Verdict } from '../../../../src/lib/runs/outcomes.ts';

interface ReportRow {
  readonly name: string;
  readonly given: { readonly entry: IndexEntry; readonly verdict: Verdict };
  readonly expected: string;
}

const device = (id: string, line = 1): IndexEntry => ({ kind: 'device', line, id, mode: 'create' });
const succeeded: Verdict = { outcome: 'succeeded' };
const rejected = { outcome: 'rejected', code: 'c', reason: 'r', action: 'a' } as const;
const stopped = (id: string) => ({ kind: 'rejected', line: 1, id, code: 'c', reason: 'r', action: 'a' }) as const;

describe('the row of a report', () => {
  test.for<ReportRow>([
    {
      name: 'of a device',
      given: { entry: device('d-1'), verdict: succeeded },
      expected: '1,d-1,,create,succeeded,,,,,',
    },
    {
      name: 'of a module, with every cell',
      given: {
        entry: { kind: 'module', line: 2, id: 'd', moduleId: 'm', mode: 'update' },
        verdict: { outcome: 'failed', code: 'Throttled', reason: 'Too much.', action: 'Wait.', tries: 3 },
      },
      expected: '2,d,m,update,failed,Throttled,,Too much.,Wait.,3',
    },
    {
      name: 'of each mode has its name',
      given: {
        entry: { kind: 'device', line: 9, id: 'd', mode: 'createOrUpdateIfMatchETag' },
        verdict: { outcome: 'unchanged', code: 'DeviceNotFound', reason: 'It was not there.' },
      },
      expected: '9,d,,createOrUpdateIfMatchETag,unchanged,DeviceNotFound,,It was not there.,,',
    },
    {
      name: 'of a line that was skipped',
      given: {
        entry: {
          kind: 'skipped',
          line: 7,
          id: 'e',
          moduleId: '$edgeAgent',
          code: 'systemModule',
          reason: 'r',
          action: 'a',
        },
        verdict: { outcome: 'skipped', code: 'systemModule', reason: 'r', action: 'a' },
      },
      expected: '7,e,$edgeAgent,,skipped,systemModule,,r,a,',
    },
    {
      name: 'of a line of which no id could be read',
      given: {
        entry: { kind: 'rejected', line: 4, code: 'badJson', reason: 'r', action: 'a' },
        verdict: { ...rejected, code: 'badJson' },
      },
      expected: '4,,,,rejected,badJson,,r,a,',
    },
    {
      name: 'with an id and texts that need quotes',
      given: {
        entry: { ...stopped('a,b'), line: 3, path: 'tags."x"' },
        verdict: { ...rejected, reason: 'It has "x", and\nmore' },
      },
      expected: '3,"a,b",,,rejected,c,"tags.""x""","It has ""x"", and\nmore",a,',
    },
    // Ids may begin as a formula does.
    {
      name: 'with an id that begins with =',
      given: { entry: device('=1+1'), verdict: succeeded },
      expected: "1,'=1+1,,create,succeeded,,,,,",
    },
    {
      name: 'with an id that begins with +',
      given: { entry: device('+49'), verdict: succeeded },
      expected: "1,'+49,,create,succeeded,,,,,",
    },
    {
      name: 'with an id that begins with -',
      given: { entry: device('-2'), verdict: succeeded },
      expected: "1,'-2,,create,succeeded,,,,,",
    },
    {
      name: 'with an id that begins with @',
      given: { entry: device('@x'), verdict: succeeded },
      expected: "1,'@x,,create,succeeded,,,,,",
    },
    {
      name: 'with an id that begins with an apostrophe',
      given: { entry: device("'d"), verdict: succeeded },
      expected: "1,''d,,create,succeeded,,,,,",
    },
    {
      name: 'with an id that has a formula after a semicolon',
      given: { entry: device('a;=1'), verdict: succeeded },
      expected: "1,a;'=1,,create,succeeded,,,,,",
    },
    {
      name: 'with an id that has = and - within',
      given: { entry: device('pump=1-a'), verdict: succeeded },
      expected: '1,pump=1-a,,create,succeeded,,,,,',
    },
    {
      name: 'with an id of digits, as text',
      given: { entry: device('007'), verdict: succeeded },
      expected: '1,007,,create,succeeded,,,,,',
    },
    {
      name: 'with an id of every sign that a hub takes',
      given: { entry: device("a-:.+%_#*?!(),=@;$'"), verdict: succeeded },
      expected: `1,"a-:.+%_#*?!(),=@;$'",,create,succeeded,,,,,`,
    },
    {
      name: 'with an id of any alphabet, which a check refuses',
      given: { entry: stopped('größe-泵-😀'), verdict: rejected },
      expected: '1,größe-泵-😀,,,rejected,c,,r,a,',
    },
    {
      name: 'with an id that begins with a wide =',
      given: { entry: stopped('\uff1d1'), verdict: rejected },
      expected: "1,'\uff1d1,,,rejected,c,,r,a,",
    },
    {
      name: 'with an id of a blank and a line break',
      given: { entry: stopped(' \n'), verdict: rejected },
      expected: '1," \n",,,rejected,c,,r,a,',
    },
    {
      name: 'with a module that begins as a formula does',
      given: { entry: { kind: 'module', line: 1, id: 'd', moduleId: '=m', mode: 'delete' }, verdict: succeeded },
      expected: "1,d,'=m,delete,succeeded,,,,,",
    },
    {
      name: 'with a code as an outcome is named',
      given: {
        entry: device('d'),
        verdict: { outcome: 'unconfirmed', code: 'succeeded', reason: 'Odd.', action: 'Look.' },
      },
      expected: '1,d,,create,unconfirmed,succeeded,,Odd.,Look.,',
    },
  ])('$name', ({ given: { entry, verdict }, expected }) => {
    expect(createReportRows()(entry, verdict)).toBe(expected);
  });
});

describe('the rows of a report', () => {
  test('tell ids apart that differ in case alone, and lines that ended alike but for one cell', () => {
    const rowOf = createReportRows();
    const failed = { outcome: 'failed', code: 'Throttled', reason: 'Too much.', action: 'Wait.' } as const;
    const rows: readonly (readonly [IndexEntry, Verdict])[] = [
      [device('Pump', 1), failed],
      [device('pump', 2), failed],
      [device('pump', 3), { ...failed, tries: 2 }],
      [device('pump', 4), { ...failed, outcome: 'unconfirmed' }],
      [device('pump', 5), { ...failed, reason: 'Far too much.' }],
      [device('pump', 6), { ...failed, action: 'Stop.' }],
      [{ ...stopped('pump'), line: 7, path: 'tags' }, failed],
      [device('pump', 8), failed],
    ];
    expect(rows.map(([entry, verdict]) => rowOf(entry, verdict))).toEqual([
      '1,Pump,,create,failed,Throttled,,Too much.,Wait.,',
      '2,pump,,create,failed,Throttled,,Too much.,Wait.,',
      '3,pump,,create,failed,Throttled,,Too much.,Wait.,2',
      '4,pump,,create,unconfirmed,Throttled,,Too much.,Wait.,',
      '5,pump,,create,failed,Throttled,,Far too much.,Wait.,',
      '6,pump,,create,failed,Throttled,,Too much.,Stop.,',
      '7,pump,,,failed,Throttled,tags,Too much.,Wait.,',
      '8,pump,,create,failed,Throttled,,Too much.,Wait.,',
    ]);
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
