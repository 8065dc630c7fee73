import { expect, it } from 'vitest';

import { isSameTrace, isTold, measure, span, traceparent } from '../../../src/lib/telemetry/telemetry.ts';

it('without a place to send to does the work, and nothing else', async () => {
  expect([isTold(), traceparent()]).toEqual([false, undefined]);
  measure('hubkeeper.throttles', 1, { hub: 'default' });
  expect(await span('work', {}, async (tell) => tell({ 'hubkeeper.run': 'r' }) ?? 'done')).toBe('done');
});

it('tells whether two spans are of one trace', () => {
  const one = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`;
  expect(isSameTrace(one, `00-${'a'.repeat(32)}-${'2'.repeat(16)}-00`)).toBe(true);
  expect(isSameTrace(one, `00-${'b'.repeat(32)}-${'1'.repeat(16)}-01`)).toBe(false);
  expect(isSameTrace(undefined, undefined)).toBe(false);
  expect(isSameTrace('', '')).toBe(false);
});
