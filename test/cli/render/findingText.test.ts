import { expect, it } from 'vitest';
import { renderFinding } from '../../../cli/render/findingText.ts';
import { problemOf } from '../../../src/lib/devicesFile/findings.ts';

const plain = (_style: unknown, text: string): string => text;
const finding = { kind: 'rejected', line: 2, ...problemOf('byteOrderMarkInside') } as const;

it('says on a terminal what is wrong, and below it what to do, so that a command can be pasted', () => {
  expect(renderFinding(finding, { style: plain, columns: 80 })).toEqual([
    'line 2      rejected  The line starts with a byte order mark (U+FEFF), which',
    '                      editors do not show; files that were put together have one',
    '                      where the next begins.',
    "                      Take it out: sed $'s/^\\xEF\\xBB\\xBF//' FILE > NEW",
  ]);
});

it('says all of it in one line where that fits, and where there is no terminal', () => {
  const short = { kind: 'rejected', line: 31, id: 'd', moduleId: 'm', ...problemOf('statusUnknown') } as const;
  const line = 'line 31     rejected  d/m: status is neither "enabled" nor "disabled". Use one of the two.';
  expect(renderFinding(short, { style: plain, columns: 160 })).toEqual([line]);
  expect(renderFinding(short, { style: plain, columns: undefined })).toEqual([line]);
  expect(renderFinding(finding, { style: plain, columns: undefined })).toHaveLength(1);
});

it('names the column where JSON breaks, and the kind', () => {
  const broken = { kind: 'rejected', line: 7, column: 12, reason: 'It breaks.', action: 'Fix it.' } as const;
  const remark = { kind: 'warning', line: 1, reason: 'Column 2 mixes types.' } as const;
  expect(renderFinding(broken, { style: plain, columns: 80 })).toEqual(['line 7:12   rejected  It breaks. Fix it.']);
  expect(renderFinding(remark, { style: plain, columns: 80 })).toEqual(['line 1      warning   Column 2 mixes types.']);
});
