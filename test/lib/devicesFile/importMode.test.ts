import { describe, expect, it } from 'vitest';

import { IMPORT_MODES, importModeOf, MODE_RULES, parseImportMode } from '../../../src/lib/devicesFile/importMode.ts';

const YES = true;
const NO = false;

describe('what an import mode decides', () => {
  it.each([
    // mode                          identity  over  twin  create  delete  merge  patch
    ['create', YES, NO, YES, YES, NO, NO, NO],
    ['createOrUpdate', YES, YES, YES, YES, NO, NO, NO],
    ['createOrUpdateIfMatchETag', YES, YES, YES, YES, NO, NO, NO],
    ['update', YES, YES, YES, NO, NO, NO, NO],
    ['updateIfMatchETag', YES, YES, YES, NO, NO, NO, NO],
    ['updateTwin', NO, NO, YES, NO, NO, YES, YES],
    ['updateTwinIfMatchETag', NO, NO, YES, NO, NO, YES, NO],
    ['delete', NO, NO, NO, NO, YES, NO, NO],
    ['deleteIfMatchETag', NO, NO, NO, NO, YES, NO, NO],
  ] as const)('%s', (mode, writesIdentity, mayOverwrite, writesTwin, mayCreate, deletes, merges, patches) => {
    expect(MODE_RULES[mode]).toMatchObject({
      writesIdentity,
      mayOverwrite,
      writesTwin,
      mayCreate,
      deletes,
      merges,
      patches,
    });
  });

  it('compares an ETag in the modes that say so, and in no other', () => {
    const comparing = IMPORT_MODES.filter((mode) => MODE_RULES[mode].needs !== undefined);
    expect(comparing).toEqual(IMPORT_MODES.filter((mode) => mode.endsWith('IfMatchETag')));
  });

  it('is sent under an ETag in the mode that does the same', () => {
    for (const mode of IMPORT_MODES) {
      const { ifUnchanged } = MODE_RULES[mode];
      if (ifUnchanged === undefined) continue;
      const { needs, absent, present } = MODE_RULES[ifUnchanged];
      expect({ instead: needs?.instead, absent, present }).toEqual({
        instead: mode,
        absent: MODE_RULES[mode].absent,
        present: MODE_RULES[mode].present,
      });
    }
  });
});

describe('the name of an import mode', () => {
  it('is read in any case', () => {
    expect(parseImportMode('CREATEORUPDATE')).toBe('createOrUpdate');
    expect(parseImportMode('create or update')).toBeUndefined();
  });

  it('is createOrUpdate where a line names none', () => {
    expect(importModeOf({})).toBe('createOrUpdate');
  });
});
