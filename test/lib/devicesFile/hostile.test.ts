import { describe, expect, it } from 'vitest';

import { CREATE, checkText } from './checkText.ts';

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
  it.each(['delete', 'Delete', 'updateTwin', 'create'])(
    'in mode %s costs that line and no other',
    async (importMode) => {
      const depth = 20_000;
      const nested = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
      const hostile = `{"id":"deep","importMode":"${importMode}","tags":${nested},"properties":{"desired":${nested}}}`;
      const { rejected, accepted } = await checkText(`${hostile}\n${good}`, CREATE);
      expect([...rejected, ...accepted].map(({ id }) => id ?? 'deep').sort()).toEqual(['deep', 'good']);
    },
  );
});

it('a key named __proto__ is warned of like any other unknown key', async () => {
  const { warnings } = await checkText('{"id":"d","importMode":"create","__proto__":{"x":1}}');
  expect(warnings.map(({ message }) => message).join()).not.toContain('object Object');
});
