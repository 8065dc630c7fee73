import { expect, it } from 'vitest';

import { WARNINGS } from '../../../../src/lib/devicesFile/reasons.ts';
import { decodeEntry, encodeEntry, type IndexEntry } from '../../../../src/lib/provisioning/check/lineIndex.ts';
import { describe } from '../../../../src/lib/textFile/reasonText.ts';

const entries: IndexEntry[] = [
  { kind: 'device', line: 1, id: 'd"1', mode: 'create' },
  { kind: 'device', line: 2, id: 'd2', mode: 'createOrUpdate', warning: 'the key "Id" was taken for "id"' },
  { kind: 'device', line: 7, id: 'd7', mode: 'create', warning: describe(WARNINGS.reportedNotWritten) },
  { kind: 'module', line: 3, id: 'd1', moduleId: 'm1', mode: 'delete' },
  { kind: 'rejected', line: 4, code: 'badJson', action: 'Fix it.', reason: 'not JSON', column: 7 },
  { kind: 'rejected', line: 5, id: 'd5', code: 'tagsTooLarge', action: 'Fix it.', reason: 'too large', path: 'tags' },
  {
    kind: 'skipped',
    line: 6,
    id: 'd1',
    moduleId: '$edgeAgent',
    code: 'systemModule',
    action: 'Fix it.',
    reason: 'made by the hub',
  },
];

it.each(entries)('an index entry comes back as it was: line $line', (entry) => {
  const text = encodeEntry(entry);
  expect(text).not.toContain('\n');
  expect(decodeEntry(text)).toEqual(entry);
});

it('a warning that says the same of every line takes a few bytes of the index; written out, it is read too', () => {
  const warning = describe(WARNINGS.reportedNotWritten);
  const entry: IndexEntry = { kind: 'device', line: 1, id: 'd1', mode: 'create', warning };
  expect(encodeEntry(entry)).toBe('["d",1,"d1",null,"create",["reportedNotWritten"]]');
  expect(decodeEntry(JSON.stringify(['d', 1, 'd1', null, 'create', warning]))).toEqual(entry);
  expect(() => decodeEntry('["d",1,"d1",null,"create",["noSuchWarning"]]')).toThrow('damaged');
});
