import { expect, it } from 'vitest';
import { generateDevices } from '../../../src/lib/devicesFile/generate.ts';
import { checkText, DEFAULTS } from './checkText.ts';

it('makes lines that pass the strictest mode without a word', async () => {
  const text = [...generateDevices({ count: 500, seed: '1' })].join('\n');
  const { summary } = await checkText(text, DEFAULTS);
  expect(summary).toMatchObject({ lines: 500, devices: 500, warnings: 0, byMode: { createOrUpdate: 500 } });
  expect(text.length / 500).toBeGreaterThan(350);
  expect(text.length / 500).toBeLessThan(450);
});

it('makes the same lines for the same seed, however many', () => {
  const few = [...generateDevices({ count: 5, seed: 'a' })];
  const more = [...generateDevices({ count: 50, seed: 'a' })];
  expect(more.slice(0, 5)).toEqual(few);
  expect([...generateDevices({ count: 5, seed: 'b' })]).not.toEqual(few);
  expect(new Set(more).size).toBe(50);
});

it('writes the prefix and the mode', () => {
  const [line = ''] = generateDevices({ count: 1, seed: 'a', prefix: 'pump-', importMode: 'delete' });
  expect(JSON.parse(line)).toMatchObject({ id: 'pump-00000001', importMode: 'delete' });
});

it('refuses what would make lines that no hub takes', () => {
  expect(() => [...generateDevices({ count: 1, seed: 'a', prefix: 'a/b' })]).toThrow(RangeError);
  expect(() => [...generateDevices({ count: -1, seed: 'a' })]).toThrow(RangeError);
});
