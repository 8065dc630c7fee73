import { describe, expect, it } from 'vitest';

import { deviceQueries, moduleQueries } from '../../../../src/lib/mirror/refresh/queryTexts.ts';

const texts = (ids: readonly string[]) => deviceQueries(ids).map(({ text }) => text);
const many = (count: number, id = (at: number) => `d${at}`) => Array.from({ length: count }, (_, at) => id(at));

describe('queries by ids', () => {
  it.each([
    ['none', [], []],
    ['one', ['d1'], ["SELECT * FROM devices WHERE deviceId IN ['d1']"]],
    ['some, each once', ['a', 'b', 'a'], ["SELECT * FROM devices WHERE deviceId IN ['a','b']"]],
    ['with quotes', ["o'clock"], ["SELECT * FROM devices WHERE deviceId IN ['o\\'clock']"]],
    ['with backslashes', ['a\\'], ["SELECT * FROM devices WHERE deviceId IN ['a\\\\']"]],
  ])('%s', (_, ids, expected) => {
    expect(texts(ids)).toEqual(expected);
  });

  it.each([
    ['100 short ones', many(100), [100]],
    ['more', many(250), [100, 100, 50]],
    ['long ones, by what a query may hold', many(100, (at) => `${at}`.padStart(128, 'x')), [62, 38]],
    ['long ones of nothing but quotes', many(100, (at) => `${at}`.padStart(128, "'")), [31, 31, 31, 7]],
  ])('%s', (_, ids, counts) => {
    const queries = deviceQueries(ids);
    expect(queries.map((query) => query.ids.length)).toEqual(counts);
    expect(queries.flatMap((query) => query.ids)).toEqual(ids);
    expect(queries.filter(({ text }) => text.length > 8192)).toEqual([]);
  });

  it('of modules have fewer devices each, whose modules come by pages', () => {
    const queries = moduleQueries(many(30));
    expect(queries.map(({ ids }) => ids.length)).toEqual([20, 10]);
    expect(queries[0]?.text).toMatch(/^SELECT \* FROM devices\.modules WHERE deviceId IN \['d0','d1',/);
  });
});
