import { expect, it } from 'vitest';

import { withStack } from '../helpers/stack.ts';

const MINUTES = 60_000;

const ids = (count: number) => Array.from({ length: count }, (_, index) => `dev-${String(index).padStart(5, '0')}`);
const file = (names: readonly string[], fields: object = {}) =>
  names.map((id) => `${JSON.stringify({ id, ...fields })}\n`).join('');

it(
  'lines that failed for a passing reason are tried again until they are there',
  async () => {
    const names = ids(600);
    await withStack({ settings: { HUB_TIER: 'S3', HUB_UNITS: '4' } }, async (stack) => {
      await fetch(`${stack.hubAdminUrl}/faults`, {
        method: 'POST',
        body: JSON.stringify([
          { operation: 'importLine', code: 'ThrottlingException', rate: 0.7 },
          { operation: 'bulkItem', code: 'ServerError', rate: 0.2, transient: 1 },
        ]),
      });
      await stack.drop('devices.txt', file(names, { importMode: 'create', tags: { site: 'faro' } }));
      const record = await stack.finalRecord('devices.txt', 3 * MINUTES);
      expect((await stack.deviceIds()).sort()).toEqual(names);
      expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: 600 } });
    });
  },
  4 * MINUTES,
);
