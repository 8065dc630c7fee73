import { expect, test } from 'vitest';

import { renderBackups } from '../../../cli/render/backupsTable.ts';
import type { BackupSummary } from '../../../src/lib/backup/catalogue.ts';
import { tornLines } from '../onTerminal.ts';

const look = { now: new Date('2026-11-22T02:00:00.000Z'), paint: (_style: unknown, text: string) => text };
const damaged = 'The backup default/2026/11/20T020000Z is damaged: devices.txt has 12 bytes, and had 9300000.';
const backups: readonly BackupSummary[] = [
  {
    backup: 'default/2026/11/21T020000Z',
    hub: 'default',
    at: '2026-11-21T02:00:00.000Z',
    state: 'good',
    bytes: 9_300_000,
    devices: 1_012_004,
    modules: 31_000,
    configurations: 4,
    keys: 'included',
    lastVerification: { at: '2026-11-21T22:00:00.000Z', result: 'good', problems: [] },
  },
  {
    backup: 'default/2026/11/20T020000Z',
    hub: 'default',
    at: '2026-11-20T02:00:00.000Z',
    state: 'damaged',
    problem: damaged,
    bytes: 12,
  },
];

test('backups are a table, and below each that is not good stands why', () => {
  expect(renderBackups(backups, { ...look, columns: 160 })).toEqual([
    'BACKUP                      STATE      DEVICES  MODULES  CONFIGURATIONS    SIZE  KEYS  VERIFIED  AGE',
    'default/2026/11/21T020000Z  good     1,012,004   31,000               4  9.3 MB  yes        4 h  1 d',
    'default/2026/11/20T020000Z  damaged          -        -               -    12 B  -            -  2 d',
    `  ${damaged}`,
  ]);
});

test.each([80, 50, 30])('at %i columns what matters least is left out', (columns) => {
  const [head = '', ...lines] = renderBackups(backups, { ...look, columns });
  expect(head).toMatch(columns === 80 ? /^BACKUP +STATE +DEVICES +MODULES +SIZE +VERIFIED +AGE$/ : /^BACKUP +STATE/);
  // A name is never cut: it is there to be typed.
  expect(lines[0]).toContain('default/2026/11/21T020000Z  good');
  if (columns > 36) expect(tornLines([head, ...lines].join('\n'), columns)).toEqual([]);
});
