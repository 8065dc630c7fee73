import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { checkText, DEFAULTS } from './checkText.ts';

const sample = (name: string): Promise<Buffer> => readFile(new URL(`../../../samples/${name}`, import.meta.url));

it('samples/devices.txt passes without a word', async () => {
  const { summary, rejected, warnings, accepted } = await checkText(await sample('devices.txt'), DEFAULTS);
  expect(rejected).toEqual([]);
  expect(warnings).toEqual([]);
  expect(summary).toMatchObject({ lines: 20, devices: 16, modules: 4, skipped: 0 });
  const devices = new Set(accepted.filter(({ moduleId }) => moduleId === undefined).map(({ id }) => id));
  for (const { id } of accepted) expect(devices).toContain(id);
});

it('samples/devices-with-errors.txt has each common mistake once, among good lines', async () => {
  const { summary, rejected, skipped, warnings, accepted } = await checkText(
    await sample('devices-with-errors.txt'),
    DEFAULTS,
  );
  expect(accepted.map(({ id, moduleId }) => (moduleId === undefined ? id : `${id}/${moduleId}`))).toEqual([
    'good-01',
    'good-02',
    'not-there',
    'never-was',
    'good-03',
    'good-04',
    'good-02/filter',
    'never-there',
    'good-05',
  ]);
  expect(rejected.map(({ line, code }) => `${line} ${code}`)).toEqual([
    '3 idTooLong',
    '4 idCharacters',
    '5 idMissing',
    '6 oneKeyOnly',
    '7 keyNotBase64',
    '8 keyLength',
    '9 thumbprintSeparators',
    '10 authTypeUnknown',
    '11 keysWithCertificate',
    '12 importModeUnknown',
    '13 statusUnknown',
    '14 etagMissing',
    '17 twinTooDeep',
    '18 twinKeyCharacters',
    '19 twinNumberRange',
    '20 tagsTooLarge',
    '21 badJson',
    '22 badJson',
    '23 badJson',
    '24 notAnObject',
    '26 duplicate',
    '27 parentItself',
  ]);
  expect(skipped.map(({ line, code }) => `${line} ${code}`)).toEqual(['28 systemModule']);
  expect(warnings.map(({ line, code }) => `${line} ${code}`)).toEqual([
    '29 unknownKey',
    '30 keyCase',
    '31 moduleAuthNone',
  ]);
  expect(summary).toMatchObject({ lines: 32, blankLines: 1, devices: 8, modules: 1, rejected: 22, skipped: 1 });
});
