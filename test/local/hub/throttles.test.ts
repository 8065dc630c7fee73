import { describe, expect, it } from 'vitest';
import { createThrottles, type ThrottleClass, type Tier } from '../../../local/hub/throttles.ts';
import { withHub } from './hubClient.ts';

interface Clock {
  nowMs: number;
}

function throttlesOf(clock: Clock, tier: Tier | 'none', change: object = {}) {
  const settings = { tier, units: 1, timeScale: 1, burstSeconds: 60, shapeMs: 3000, ...change };
  return createThrottles(settings, () => clock.nowMs);
}

describe('throttles', () => {
  it('let a minute’s worth through at once, then shape, then refuse', () => {
    const clock = { nowMs: 0 };
    const throttles = throttlesOf(clock, 'S1');
    const waits: number[] = [];
    for (;;) {
      const admission = throttles.admit('registry', 1);
      if (!admission.admitted) break;
      waits.push(Math.round(admission.waitMs));
    }
    expect(waits.filter((wait) => wait === 0)).toHaveLength(100);
    expect(waits.slice(100)).toEqual([600, 1200, 1800, 2400, 3000]);
  });

  it('count the items of a bulk call, and let the next one wait for them', () => {
    const clock = { nowMs: 0 };
    const throttles = throttlesOf(clock, 'S1');
    expect(throttles.admit('registry', 100)).toEqual({ admitted: true, waitMs: 0 });
    expect(throttles.admit('registry', 100)).toMatchObject({ admitted: true, waitMs: 600 });
    clock.nowMs = 30_000;
    expect(throttles.admit('registry', 1)).toEqual({ admitted: false });
    clock.nowMs = 60_600;
    expect(throttles.admit('registry', 1).admitted).toBe(true);
  });

  it('have the documented rates by tier and unit', () => {
    const cases: readonly (readonly [kind: ThrottleClass, tier: Tier, units: number, aMinute: number])[] = [
      ['registry', 'S1', 1, 100],
      ['registry', 'S1', 4, 400],
      ['registry', 'S3', 2, 10_000],
      ['twinReads', 'S1', 1, 6000],
      ['twinReads', 'S2', 20, 12_000],
      ['twinUpdates', 'S3', 1, 15_000],
      ['queries', 'S2', 1, 20],
      ['queries', 'S3', 1, 1000],
      ['jobs', 'S1', 1, 100],
      ['configurations', 'S3', 1, 20],
    ];
    for (const [kind, tier, units, aMinute] of cases) {
      const clock = { nowMs: 0 };
      const throttles = throttlesOf(clock, tier, { units, burstSeconds: 1, shapeMs: 0 });
      let admitted = 0;
      for (; clock.nowMs < 60_000; clock.nowMs += 2) {
        while (throttles.admit(kind, 1).admitted) admitted += 1;
      }
      expect(Math.abs(admitted / aMinute - 1), `${kind} ${tier} ${admitted}`).toBeLessThan(0.06);
    }
  });

  it('run faster by the time scale, and not at all without a tier', () => {
    const clock = { nowMs: 0 };
    const scaled = throttlesOf(clock, 'S1', { timeScale: 60 });
    expect(scaled.admit('registry', 100).admitted).toBe(true);
    clock.nowMs = 1000;
    expect(scaled.admit('registry', 1)).toEqual({ admitted: true, waitMs: 0 });
    const none = throttlesOf(clock, 'none');
    for (let call = 0; call < 1000; call += 1) expect(none.admit('queries', 1)).toEqual({ admitted: true, waitMs: 0 });
  });

  it('answer 429 with the hub’s text, no Retry-After, and a closed connection', async () => {
    await withHub({ tier: 'S1', burstSeconds: 1, shapeMs: 0 }, async (client) => {
      const body = Array.from({ length: 50 }, (_, index) => ({ id: `d${index}`, status: 'enabled' }));
      expect((await client.call('POST', '/devices', { body })).status).toBe(200);
      const refused = await client.call('GET', '/devices/d1');
      expect(refused.status).toBe(429);
      expect(refused.body.Message).toBe(
        'ErrorCode:ThrottlingBacklogTimeout;The request has been throttled. Wait 10 seconds and try again. Operation type: IdentityRegistry',
      );
      expect(refused.headers.get('retry-after')).toBeNull();
      expect(refused.headers.get('connection')).toBe('close');
      expect((await client.call('GET', '/twins/d1')).status).toBe(200);
      const { body: state } = await client.admin('GET', '/state');
      expect(state.activity).toMatchObject({
        operations: { bulkRegistry: { 200: 1 }, getDevice: { 429: 1 } },
        admittedItems: { registry: 50 },
        largestBulkCall: 50,
      });
    });
  });
});
