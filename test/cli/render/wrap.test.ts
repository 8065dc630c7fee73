import { expect, test } from 'vitest';

import { behind, wrapFinding, wrapProse } from '../../../cli/render/wrap.ts';

test.each<[string, string, number | undefined, string[]]>([
  ['text that fits', 'See npx hubkeeper runs.', 80, ['See npx hubkeeper runs.']],
  ['no terminal', 'Watch it: npx hubkeeper run 1', undefined, ['Watch it: npx hubkeeper run 1']],
  [
    'a command at the end',
    'Ids are hexadecimal: see npx hubkeeper runs.',
    40,
    ['Ids are hexadecimal: see', 'npx hubkeeper runs.'],
  ],
  [
    'a command within a sentence',
    'Start one with npx hubkeeper local --data a.b/c, or set HUBKEEPER_STORAGE.',
    44,
    ['Start one with', 'npx hubkeeper local --data a.b/c, or set', 'HUBKEEPER_STORAGE.'],
  ],
  [
    'a command with quoted words',
    "Do not wait: npx hubkeeper runs --data '/no, where' \"it is\" 'a'\\''b', and look.",
    32,
    ['Do not wait:', "npx hubkeeper runs --data '/no, where' \"it is\" 'a'\\''b',", 'and look.'],
  ],
  [
    'a dot before a further flag',
    'Now look: npx hubkeeper run 1 --data . --watch. Or not.',
    40,
    ['Now look:', 'npx hubkeeper run 1 --data . --watch. Or', 'not.'],
  ],
  [
    'two commands, each on lines of their own',
    'Go on with:\n  npx hubkeeper resume 1\nor end it with:\n  npx hubkeeper cancel 1',
    30,
    ['Go on with:', '  npx hubkeeper resume 1', 'or end it with:', '  npx hubkeeper cancel 1'],
  ],
])('prose is wrapped, its commands are whole: %s', (_, text, columns, lines) => {
  expect(wrapProse(text, columns)).toEqual(lines);
});

test('a path that is too long for its column is broken behind dots, and loses nothing', () => {
  const path = `tags.${'abcdefghi.'.repeat(8)}end`;
  const lines = behind('line 1    ', wrapFinding(`a: ${path} is too deep.`, 10, 50));
  expect(lines.filter((line) => line.length > 50)).toEqual([]);
  expect(lines.slice(1).every((line) => /^ {10}\S/.test(line))).toBe(true);
  expect(lines.map((line) => line.slice(10)).join('')).toContain(path);
  expect(wrapFinding(`a: ${path}`, 2, undefined)).toEqual([`  a: ${path}`]);
});
