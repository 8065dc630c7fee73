import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainJsonError, locateJsonError } from '../../../src/lib/textFile/jsonError.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('where a text stops being JSON', () => {
  it.each([
    ['', 0, 'the line ends before'],
    ['{', 1, 'the line ends before'],
    ['{"a"', 4, 'the line ends before'],
    ['{"a":', 5, 'the line ends before'],
    ['{"a":1', 6, 'the line ends before'],
    ['{"a" 1}', 5, 'a colon is expected'],
    ['{a:1}', 1, 'a name in double quotes'],
    ["{'a':1}", 1, 'a name is in single quotes'],
    ['{"a":1,}', 7, 'a comma stands before "}"'],
    ['{"a":[1,]}', 8, 'a comma stands before "]"'],
    ['{"a":1 "b":2}', 7, 'a comma or "}"'],
    ['{"a":[1 2]}', 8, 'a comma or "]"'],
    ['{"a":,}', 5, 'a value is missing'],
    ['{"a":\'x\'}', 5, 'a value is in single quotes'],
    ['{"a":undefined}', 5, 'a value is expected'],
    ['{"a":/* x */1}', 5, 'no comments'],
    ['{"a":01}', 5, 'a number'],
    ['{"a":1.}', 5, 'a number'],
    ['{"a":-}', 5, 'a number'],
    ['{"a":1e}', 5, 'a number'],
    ['{"a":"b\\x"}', 7, 'a backslash that starts no escape'],
    ['{"a":"b\\u12g4"}', 7, 'four hex digits'],
    ['{"a":"b\nc"}', 7, 'control character'],
    ['{"a":"b', 5, 'not closed'],
    ['{"a":1}}', 7, 'something follows'],
    ['{"a":1},', 7, 'a comma follows'],
  ])('%j: %i', (text, index, problem) => {
    expect(locateJsonError(text)).toEqual({ index, problem: expect.stringContaining(problem) });
  });

  it('finds an error exactly where JSON.parse does', () => {
    const mutated = fc
      .record({
        json: fc.json(),
        at: fc.nat(60),
        to: fc.oneof(
          fc.constantFrom('"', '{', '}', '[', ',', ':', '\\', '1', 'e', '.', '-'),
          fc.string({ maxLength: 2 }),
        ),
      })
      .map(({ json, at, to }) => json.slice(0, at % (json.length + 1)) + to + json.slice((at % (json.length + 1)) + 1));
    fc.assert(
      fc.property(fc.oneof(fc.json(), mutated, fc.string()), (text) => {
        expect(locateJsonError(text) === undefined).toBe(parses(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('goes as deep as it must', () => {
    expect(locateJsonError('['.repeat(500_000))?.index).toBe(500_000);
    expect(locateJsonError('['.repeat(500_000) + ']'.repeat(500_000))).toBeUndefined();
  });
});

it('names the column from 1, and has words for a text of which it finds nothing wrong', () => {
  expect(explainJsonError('{"a" 1}')).toEqual({ column: 6, problem: 'a colon is expected after the name' });
  expect(explainJsonError('{}')).toEqual({ column: 1, problem: 'something is wrong' });
});
