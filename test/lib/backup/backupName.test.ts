import { describe, expect, it } from 'vitest';

import {
  formatBackupName,
  nextBackupName,
  parseBackupBlob,
  parseBackupName,
  parseBackupWanted,
} from '../../../src/lib/backup/backupName.ts';

describe('the name of a backup', () => {
  it('is its hub and its second in UTC, and comes back', () => {
    const name = formatBackupName({ hub: 'east1', at: new Date('2026-11-20T02:00:00.987Z') });
    expect(name).toBe('east1/2026/11/20T020000Z');
    expect(parseBackupName(name)).toEqual({ hub: 'east1', at: new Date('2026-11-20T02:00:00Z') });
  });

  it('is of the next second where it is taken', () => {
    const taken = { hub: 'default', at: new Date('2026-12-31T23:59:59Z') };
    expect(formatBackupName(nextBackupName(taken))).toBe('default/2027/01/01T000000Z');
  });

  it.each([
    'default',
    'default/2026/11/20',
    'default/2026/11/20T020000',
    'default/2026/02/30T020000Z',
    'default/2026/11/20T250000Z',
    'Default/2026/11/20T020000Z',
    'a-b/2026/11/20T020000Z',
    'default/2026/11/20T020000Z/',
    '../2026/11/20T020000Z',
  ])('is not %s', (text) => {
    expect(parseBackupName(text)).toBeUndefined();
  });

  it('is found in the name of a blob', () => {
    const name = 'default/2026/11/20T020000Z';
    expect(parseBackupBlob(`${name}/devices.txt`)).toEqual({ name, file: 'devices.txt' });
    expect(parseBackupBlob(`${name}/a/b`)).toEqual({ name, file: 'a/b' });
    expect(parseBackupBlob(name)).toBeUndefined();
    expect(parseBackupBlob('default/other/11/20T020000Z/devices.txt')).toBeUndefined();
  });
});

describe('what a person types for a backup', () => {
  it.each([
    ['default/2026/11/20T020000Z', { name: 'default/2026/11/20T020000Z' }],
    [' East/2026/11/20T020000Z/ ', { name: 'east/2026/11/20T020000Z' }],
    ['latest', { latestOf: undefined }],
    ['East/latest', { latestOf: 'east' }],
    ['a/b/latest', undefined],
    ['a-b/latest', undefined],
    ['latest/2026', undefined],
    ['', undefined],
    ['devices.txt', undefined],
  ])('%s', (text, wanted) => {
    expect(parseBackupWanted(text)).toEqual(wanted);
  });
});
