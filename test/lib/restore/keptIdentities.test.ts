import { describe, expect, it } from 'vitest';

import { problemOf } from '../../../src/lib/devicesFile/findings.ts';
import type { RejectedIdentityLine } from '../../../src/lib/registryLines/compareSnapshots.ts';
import { keptIdentities } from '../../../src/lib/restore/keptIdentities.ts';

const line = (more: Partial<RejectedIdentityLine>): RejectedIdentityLine => ({
  side: 'after',
  line: 1,
  ...problemOf('notAnObject'),
  ...more,
});

describe('what stays for lines that are not compared', () => {
  it.each<readonly [string, readonly RejectedIdentityLine[], readonly string[]]>([
    ['nothing without such a line', [], []],
    ['nothing for lines of the hub', [line({ side: 'before' }), line({ side: 'before', id: 'ä' })], []],
    ['the devices that they name', [line({ id: 'ä' }), line({ id: 'c', moduleId: 'm' })], ['ä', 'c']],
    ['all where one names none', [line({ id: 'ä' }), line({})], ['ä', 'b', 'c']],
  ])('%s', (_, lines, expected) => {
    const kept = keptIdentities();
    for (const each of lines) kept.add(each);
    expect(['ä', 'b', 'c'].filter((id) => kept.keeps({ id }))).toEqual(expected);
  });

  it('is counted, with the reason', () => {
    const kept = keptIdentities();
    kept.add(line({ id: 'a' }));
    expect(kept.note(1_200)).toMatchObject({
      count: 1_200,
      lines: 1,
      code: 'keptByTheirLines',
      message: expect.stringMatching(/ 1,200 .* 1\.$/),
      action: expect.anything(),
    });
    kept.add(line({}));
    expect(kept.note(5)).toMatchObject({ count: 5, lines: 2, code: 'keptByAnyLine' });
  });
});
