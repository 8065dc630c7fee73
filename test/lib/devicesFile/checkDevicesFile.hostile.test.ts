import { describe, expect, it } from 'vitest';

import { IMPORT_MODES } from '../../../src/lib/devicesFile/importMode.ts';
import { CREATE, CSV, checkText } from './checkText.ts';

const good = '{"id":"good","importMode":"create"}';

describe('the first line', () => {
  it.each(['x{"id":"d1","importMode":"create"}', '"id":"d1","importMode":"create"}', '} {'])(
    'that could be a damaged device is rejected, not passed over: %s',
    async (line) => {
      const { rejected, skipped } = await checkText(`${line}\n${good}`);
      expect(rejected.map(({ line: number }) => number)).toEqual([1]);
      expect(skipped).toEqual([]);
    },
  );

  it('of a keyless export, in plain text, is skipped', async () => {
    const { skipped, accepted } = await checkText(`Keys were excluded from this export.\n${good}`);
    expect(skipped.map(({ code }) => code)).toEqual(['plainFirstLine']);
    expect(accepted).toHaveLength(1);
  });
});

describe('a line nested without end', () => {
  const places = [
    (deep: string) => `"tags":${deep}`,
    (deep: string) => `"Tags":{"a":[${deep}]}`,
    (deep: string) => `"properties":{"desired":${deep}}`,
    (deep: string) => `"properties":{"reported":${deep}}`,
    (deep: string) => `"properties":{"other":${deep}}`,
    (deep: string) => `"properties":${deep}`,
    (deep: string) => `"authentication":${deep}`,
    (deep: string) => `"authentication":{"symmetricKey":${deep}}`,
    (deep: string) => `"status":${deep}`,
    (deep: string) => `"eTag":${deep}`,
    (deep: string) => `"capabilities":${deep}`,
    (deep: string) => `"parentScopes":${deep}`,
    (deep: string) => `"parent":${deep}`,
    (deep: string) => `"moduleId":${deep}`,
    (deep: string) => `"thumbprint":${deep}`,
    (deep: string) => `"unknown":${deep}`,
    (deep: string) => `"__proto__":${deep}`,
  ];
  it.each(IMPORT_MODES)('costs that line and no other, wherever it is: mode %s', async (importMode) => {
    for (const place of places) {
      for (const [open, close] of [
        ['{"a":', '}'],
        ['[', ']'],
      ] as const) {
        const deep = `${open.repeat(20_000)}1${close.repeat(20_000)}`;
        const hostile = `{"id":"deep","importMode":"${importMode}","eTag":"x","twinETag":"x",${place(deep)}}`;
        const { rejected, accepted } = await checkText(`${hostile}\n${good}`, CREATE);
        expect(rejected.map(({ id, code }) => [id, code])).toEqual([['deep', 'nestedTooDeep']]);
        expect(accepted.map(({ id }) => id)).toEqual(['good']);
      }
    }
  });

  it('in a cell costs that row and no other', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const cell = `"{""x"":${deep}}"`;
    const csv = `id,tags,properties.desired.a\nok-1,,\ndeep,${cell},\ndeeper,,${deep}\nok-2,,\n`;
    const { rejected, accepted } = await checkText(csv, CSV);
    expect(rejected.map(({ id, code, line }) => [id, code, line])).toEqual([
      ['deep', 'nestedTooDeep', 3],
      ['deeper', 'nestedTooDeep', 4],
    ]);
    expect(accepted.map(({ id }) => id)).toEqual(['ok-1', 'ok-2']);
  });
});

it('a key named __proto__ is warned of like any other unknown key', async () => {
  const { warnings } = await checkText('{"id":"d","importMode":"create","__proto__":{"x":1}}');
  expect(warnings.map(({ message }) => message).join()).not.toContain('object Object');
});
