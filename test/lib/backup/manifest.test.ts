import { describe, expect, it } from 'vitest';

import { countMismatch, parseManifest, sealed } from '../../../src/lib/backup/manifest.ts';
import { manifestOf } from './sampleBackup.ts';

const NAME = 'default/2026/11/20T020000Z';

describe('a manifest', () => {
  it('comes back as it was written, with what a later version of the same form adds', () => {
    const manifest = { ...manifestOf(NAME, { countMismatch: { expected: [1, 2], found: 40 } }), extra: 1 };
    expect(parseManifest(JSON.stringify(sealed(manifest), undefined, 2), NAME)).toEqual(manifest);
  });

  const good = manifestOf(NAME);
  const { takenAt: _, ...untimed } = good;
  const { 'extras.ndjson': __, ...twoFiles } = good.files;
  it.each([
    ['an empty file', '', 'backupDamaged', 'is not JSON'],
    ['cut off', JSON.stringify(good).slice(0, -20), 'backupDamaged', 'is not JSON'],
    ['a list', '[]', 'backupDamaged', 'no JSON object'],
    ['of a newer version', JSON.stringify({ version: 2, anything: true }), 'backupNewer', 'version 2'],
    ['of no version', JSON.stringify({ ...good, version: '1' }), 'backupDamaged', 'no version'],
    ['of another hub', JSON.stringify(manifestOf(NAME.replace('default', 'east'))), 'backupOfOther', 'east/2026/11'],
    ['of another time', JSON.stringify(manifestOf('default/2026/11/21T020000Z')), 'backupOfOther', '2026/11/21T'],
    ['of something else', JSON.stringify({ ...good, backup: 'x' }), 'backupDamaged', 'of which backup'],
    ['without a field', JSON.stringify(untimed), 'backupDamaged', 'lacks "takenAt"'],
    ['with a field of a wrong form', JSON.stringify({ ...good, devices: -1 }), 'backupDamaged', '"devices"'],
    ['without a file', JSON.stringify({ ...good, files: twoFiles }), 'backupDamaged', '"files"'],
    ['without a seal', JSON.stringify(good), 'backupDamaged', 'seal'],
    ['with a wrong mismatch', JSON.stringify({ ...good, countMismatch: {} }), 'backupDamaged', '"countMismatch"'],
  ])('%s is named', (_what, text, code, says) => {
    expect(() => parseManifest(text, NAME)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(says) }),
    );
  });
});

describe('any byte of a manifest that is changed', () => {
  const text = JSON.stringify(sealed(manifestOf(NAME, { countMismatch: { expected: [1, 2], found: 40 } })));

  it('is noticed', () => {
    for (let at = 0; at < text.length; at++) {
      const other = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      expect(() => parseManifest(other, NAME), other).toThrow();
    }
  });
});

describe('counts that do not match', () => {
  it.each([
    // Small registries: ten devices either way.
    { devices: 0, before: 0, after: 0 },
    { devices: 10, before: 0, after: 0 },
    { devices: 11, before: 0, after: 0, expected: [0, 10] },
    { devices: 90, before: 100, after: 100 },
    { devices: 89, before: 100, after: 100, expected: [90, 110] },
    // Between the counts, whichever is larger.
    { devices: 500, before: 100, after: 900 },
    { devices: 500, before: 900, after: 100 },
    { devices: 911, before: 900, after: 100, expected: [90, 910] },
    // A thousandth of large ones.
    { devices: 1_001_000, before: 1_000_000, after: 1_000_000 },
    { devices: 1_001_001, before: 1_000_000, after: 1_000_000, expected: [999_000, 1_001_000] },
    { devices: 998_999, before: 1_000_000, after: 1_000_000, expected: [999_000, 1_001_000] },
  ])('$devices devices, counted $before before and $after after', ({ devices, before, after, expected }) => {
    expect(countMismatch(devices, before, after)).toEqual(
      expected === undefined ? undefined : { expected, found: devices },
    );
  });
});
