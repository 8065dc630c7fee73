import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { wantedBy } from '../../../../src/lib/mirror/refresh/wants.ts';
import { mergeEvent } from '../../../../src/lib/mirror/rows/mergeEvent.ts';
import { mergeReading } from '../../../../src/lib/mirror/rows/mergeReading.ts';
import type { MirrorEvent } from '../../../../src/lib/mirror/rows/mirrorEvent.ts';
import type { IdentityKey, MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import { needsGet } from '../../../../src/lib/mirror/rows/wanting.ts';
import { createRegistryModel, type RegistryModel } from '../../../helpers/registryModel.ts';
import { createSeededRandom, type SeededRandom } from '../../../scenarios/seededRandom.ts';

/** One device, without modules, and a mirror of it that hears of it in any order and reads it late. */
function mirrorOf(registry: RegistryModel, key: IdentityKey, skewMs: number) {
  let row: MirrorRow | undefined;
  const nowIso = () => new Date(registry.nowMs() + skewMs).toISOString();
  return {
    row: () => row,
    hear(event: MirrorEvent) {
      row = mergeEvent(row, event, nowIso()) ?? row;
    },
    /** Begins an export; what is given back has the row put right by it, later. */
    reconcile() {
      const begunAt = nowIso();
      const reading = registry.get(key);
      return () => {
        const shown = reading === 'absent' ? reading : { ...reading, twin: withoutVersion(reading.twin) };
        const merged = mergeReading(row, shown, { hub: 'default', ...key, by: 'export', begunAt, nowIso: nowIso() });
        if (merged !== 'again') row = merged ?? row;
      };
    },
    /** As of a run that has ended: of what it did, no event need tell. */
    handOver(mayBeGone: boolean) {
      row = wantedBy('default', key, row, { runId: 'r1', doneAt: new Date(nowIso()), mayBeGone }, new Date(nowIso()));
    },
    /** Reads the registry, while something else happens. */
    refresh(lagSteps: number, meanwhile: () => void = () => {}) {
      const before = row;
      if (before?.wanted === undefined) return;
      const begunAt = nowIso();
      const byGet = needsGet(before, begunAt) || (before.wanted.tries ?? 0) >= 3;
      const reading = byGet ? registry.get(key) : registry.query(key, lagSteps);
      meanwhile();
      // Written only over what was read.
      if (row !== before) return;
      const by = byGet ? 'get' : 'query';
      const merged = mergeReading(before, reading, { hub: 'default', ...key, by, begunAt, nowIso: nowIso() });
      if (merged === 'again') row = { ...before, wanted: { ...before.wanted, tries: (before.wanted.tries ?? 0) + 1 } };
      else row = merged ?? row;
    },
  };
}

const KEY = { deviceId: 'd1' };

/** An export tells none. */
function withoutVersion<Twin extends { readonly version?: number }>({ version: _, ...sections }: Twin) {
  return sections;
}

function operate(registry: RegistryModel, random: SeededRandom): void {
  registry.pass(random.chance(0.4) ? 0 : random.int(1, 1_000));
  const key = () => ({ [`k${random.int(0, 2)}`]: random.chance(0.3) ? null : random.int(0, 2) });
  if (!registry.isThere(KEY)) registry.create(KEY, { tags: { born: registry.nowMs() } });
  else if (random.chance(0.25)) registry.remove(KEY);
  else if (random.chance(0.3)) registry.replace(KEY, { tags: { whole: random.int(0, 9) } });
  else registry.patch(KEY, { tags: key(), ...(random.chance(0.3) ? { desired: key() } : {}) });
}

describe('a row', () => {
  it('ends in the state of the registry, in whatever order events come, how often, and when it is read', () => {
    const seeds = fc.record({
      seed: fc.nat(),
      steps: fc.integer({ min: 1, max: 40 }),
      skewMs: fc.integer({ min: -3_000, max: 3_000 }),
    });
    fc.assert(
      fc.property(seeds, ({ seed, steps, skewMs }) => {
        const random = createSeededRandom(seed);
        const registry = createRegistryModel();
        const mirror = mirrorOf(registry, KEY, skewMs);
        const unheard: MirrorEvent[] = [];
        let enqueued = 0;
        const act = () => {
          operate(registry, random);
          unheard.push(...registry.events.slice(enqueued));
          enqueued = registry.events.length;
        };
        const hearSome = () => {
          const [event] = unheard.splice(random.int(0, Math.max(0, unheard.length - 1)), 1);
          if (event !== undefined) mirror.hear(event);
          const known = registry.events[random.int(0, registry.events.length)];
          if (known !== undefined && !unheard.includes(known) && random.chance(0.3)) mirror.hear(known);
        };
        const meanwhile = () => {
          if (random.chance(0.3)) act();
          if (random.chance(0.3)) hearSome();
        };
        for (let step = 0; step < steps; step++) {
          act();
          while (random.chance(0.45)) hearSome();
          if (random.chance(0.4)) mirror.refresh(random.int(0, 6), meanwhile);
        }
        while (unheard.length > 0) {
          hearSome();
          if (random.chance(0.3)) mirror.refresh(random.int(0, 6));
        }
        for (const event of random.some(registry.events, 5)) mirror.hear(event);
        for (let tries = 0; mirror.row()?.wanted !== undefined; tries++) {
          expect(tries).toBeLessThan(10);
          mirror.refresh(random.int(0, 6));
        }
        const reading = registry.get(KEY);
        const { state, twin } = mirror.row() ?? {};
        expect({ state, twin }).toEqual(
          reading === 'absent' ? { state: 'deleted', twin: undefined } : { state: 'present', twin: reading.twin },
        );
      }),
      { numRuns: 4_000 },
    );
  });

  it('ends there, too, where runs change the registry without events, and hand over what they have touched', () => {
    const seeds = fc.record({ seed: fc.nat(), steps: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(seeds, ({ seed, steps }) => {
        const random = createSeededRandom(seed);
        const registry = createRegistryModel();
        const mirror = mirrorOf(registry, KEY, 0);
        const told: MirrorEvent[] = [];
        const unheard: MirrorEvent[] = [];
        /** Of runs that have not handed over yet: whether the device may be gone. */
        const runs: boolean[] = [];
        let sinceHandOver = 100;
        const act = () => {
          const before = registry.events.length;
          operate(registry, random);
          sinceHandOver += 1;
          const events = registry.events.slice(before);
          if (random.chance(0.4)) runs.push(events.some(({ kind }) => kind === 'deleted'));
          else {
            told.push(...events);
            unheard.push(...events);
          }
        };
        const hearSome = () => {
          const [event] = unheard.splice(random.int(0, Math.max(0, unheard.length - 1)), 1);
          if (event !== undefined) mirror.hear(event);
        };
        const handOver = () => {
          const mayBeGone = runs.shift();
          if (mayBeGone === undefined) return;
          mirror.handOver(mayBeGone);
          // What it did is read when queries are certain to show it.
          sinceHandOver = 0;
        };
        let endReconcile: (() => void) | undefined;
        const reconcile = () => {
          endReconcile?.();
          registry.pass(1);
          endReconcile = endReconcile === undefined ? mirror.reconcile() : undefined;
          if (random.chance(0.5)) endReconcile?.();
        };
        const refresh = (meanwhile?: () => void) =>
          mirror.refresh(random.int(0, Math.min(6, sinceHandOver)), meanwhile);
        for (let step = 0; step < steps || unheard.length + runs.length > 0; step++) {
          if (step < steps) act();
          registry.pass(random.int(1, 1_000));
          if (random.chance(0.05)) {
            registry.pass(61_000);
            // Queries lag behind by less.
            sinceHandOver = 0;
          }
          while (random.chance(0.45)) hearSome();
          if (random.chance(0.3)) handOver();
          if (random.chance(0.2)) reconcile();
          if (random.chance(0.4)) refresh(() => random.chance(0.3) && hearSome());
        }
        for (const event of random.some(told, 5)) mirror.hear(event);
        for (let tries = 0; mirror.row()?.wanted !== undefined; tries++) {
          expect(tries).toBeLessThan(10);
          refresh();
        }
        const reading = registry.get(KEY);
        const { state, twin } = mirror.row() ?? {};
        // No export tells a version, and a change need not change anything else.
        expect({ state, twin: twin && withoutVersion(twin) }).toEqual(
          reading === 'absent'
            ? { state: 'deleted', twin: undefined }
            : { state: 'present', twin: withoutVersion(reading.twin) },
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('that hears events in their order is read once for each life, and no more when all are heard again', () => {
    const registry = createRegistryModel();
    const mirror = mirrorOf(registry, KEY, 0);
    const random = createSeededRandom(7);
    let lives = 0;
    for (let step = 0; step < 200; step++) {
      const heard = registry.events.length;
      registry.pass(1);
      operate(registry, random);
      for (const event of registry.events.slice(heard)) mirror.hear(event);
      if (mirror.row()?.wanted !== undefined) lives += 1;
      mirror.refresh(0);
      expect(mirror.row()?.wanted).toBeUndefined();
    }
    expect(lives).toBe(registry.events.filter(({ kind }) => kind === 'created').length);
    const before = mirror.row();
    for (const event of registry.events) mirror.hear(event);
    expect(mirror.row()).toBe(before);
  });
});
