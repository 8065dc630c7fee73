import { expect, it } from 'vitest';
import { describe as described, findingOf } from '../../../src/lib/textFile/reasonText.ts';

const REASONS = {
  tooLong: { says: '{path} has {length} bytes.', action: 'Shorten {path}{hint}.' },
  odd: { says: 'The line is odd.', action: 'Fix it.' },
} as const;

it.each([
  ['tooLong', { length: 9 }, 'tags.a', 'tags.a has 9 bytes.', 'Shorten tags.a.'],
  ['tooLong', { length: 9, path: 'The line' }, undefined, 'The line has 9 bytes.', 'Shorten The line.'],
  // What the values say of the path counts.
  ['tooLong', { length: 9, path: 'tags', hint: ' soon' }, 'tags.a', 'tags has 9 bytes.', 'Shorten tags soon.'],
  ['odd', undefined, undefined, 'The line is odd.', 'Fix it.'],
] as const)('fills both sentences of %s from %j and the path %s', (code, values, path, reason, action) => {
  const finding = path === undefined ? { code, reason, action } : { code, reason, action, path };
  expect(findingOf(REASONS, code, values, path)).toStrictEqual(finding);
});

it('says both sentences as one text', () => {
  expect(described(REASONS.tooLong, { path: 'id', length: 200 })).toBe('id has 200 bytes. Shorten id.');
  expect(described(REASONS.odd)).toBe('The line is odd. Fix it.');
});
