import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  applyTurn,
  MOST_WAITERS,
  NO_TURNS,
  type PollReply,
  parseTurnOperation,
  TURN_LIMITS,
  type TurnLimits,
  type TurnReply,
  type TurnState,
} from '../../../src/lib/turns/turnQueue.ts';

/** A queue with a clock of its own. `second` is when the file of a run was dropped. */
function queue(limits: TurnLimits = { ...TURN_LIMITS, graceMs: 0 }) {
  let state: TurnState = NO_TURNS;
  let now = Date.parse('2026-11-20T10:00:00Z');
  const apply = (operation: Parameters<typeof applyTurn>[1]): TurnReply => {
    const result = applyTurn(state, operation, now);
    // As it is kept: the state has to survive JSON.
    state = JSON.parse(JSON.stringify(result.state)) as TurnState;
    return result.reply;
  };
  return {
    get state() {
      return state;
    },
    pass: (ms: number) => {
      now += ms;
    },
    poll: (runId: string, second = 0, name = 'devices.txt') =>
      apply({ kind: 'poll', runId, droppedAt: new Date(second * 1000).toISOString(), name, limits }) as PollReply,
    announce: (runId: string, second = 0, name = 'devices.txt') =>
      apply({ kind: 'announce', runId, droppedAt: new Date(second * 1000).toISOString(), name }),
    leave: (runId: string) => apply({ kind: 'leave', runId }),
    evict: (runId: string) => apply({ kind: 'evict', runId, limits }),
  };
}

const GRANTED = { granted: true };
const behind = (position: number) => ({ granted: false, position });
const MINUTE = 60_000;

describe('the queue for the turn', () => {
  it('grants a free turn, keeps it for who asks again, and grants it to nobody else', () => {
    const turns = queue();
    expect(turns.poll('a')).toEqual(GRANTED);
    expect(turns.poll('b')).toEqual(behind(1));
    expect(turns.poll('a')).toEqual(GRANTED);
    expect(turns.leave('a')).toEqual({ left: true });
    expect(turns.poll('b')).toEqual(GRANTED);
  });

  it.each([
    { what: 'time of the drop', first: { second: 1, name: 'z' }, second: { second: 2, name: 'a' } },
    { what: 'name among files of one second', first: { second: 1, name: 'a' }, second: { second: 1, name: 'b' } },
    { what: 'run id among the same', first: { second: 1, name: 'a' }, second: { second: 1, name: 'a' } },
  ])('goes by $what, whoever asks first', ({ first, second }) => {
    const turns = queue();
    turns.poll('holder', 9);
    expect(turns.poll('run2', second.second, second.name)).toEqual(behind(1));
    expect(turns.poll('run1', first.second, first.name)).toEqual(behind(1));
    expect(turns.poll('run2', second.second, second.name)).toEqual(behind(2));
    turns.leave('holder');
    expect(turns.poll('run2', second.second, second.name)).toEqual(behind(1));
    expect(turns.poll('run1', first.second, first.name)).toEqual(GRANTED);
  });

  it('lets a newcomer wait a moment, in which one that was dropped earlier may come', () => {
    const turns = queue(TURN_LIMITS);
    expect(turns.poll('late', 2)).toEqual({ ...behind(0), graceLeftMs: 750 });
    turns.pass(1_000);
    expect(turns.poll('early', 1)).toEqual({ ...behind(0), graceLeftMs: 750 });
    turns.pass(1_000);
    expect(turns.poll('late', 2)).toEqual(behind(1));
    turns.pass(500);
    expect(turns.poll('early', 1)).toEqual(GRANTED);
  });

  it('lets one that announced itself long enough ago in at once, if none is expected before it', () => {
    const turns = queue(TURN_LIMITS);
    expect(turns.announce('a', 1)).toEqual({ announced: true });
    expect(turns.announce('later', 2)).toEqual({ announced: true });
    turns.pass(500);
    expect(turns.poll('a', 1)).toEqual({ ...behind(0), graceLeftMs: 250 });
    turns.pass(500);
    expect(turns.poll('a', 1)).toEqual(GRANTED);
    expect(turns.announce('a', 1)).toEqual({ announced: false });
  });

  it('lets one wait a moment, but no longer, for one that was dropped before it and is still being checked', () => {
    const turns = queue(TURN_LIMITS);
    turns.announce('small', 2);
    turns.announce('large', 1);
    turns.pass(5_000);
    expect(turns.poll('small', 2)).toEqual({ ...behind(0), graceLeftMs: 750 });
    turns.pass(1_000);
    expect(turns.poll('large', 1)).toEqual(GRANTED);
    turns.leave('large');
    // The other is not on its way any more.
    expect(turns.poll('small', 2)).toEqual(GRANTED);
    turns.leave('small');

    turns.announce('huge', 3);
    turns.announce('small', 4);
    turns.pass(5_000);
    turns.poll('small', 4);
    turns.pass(1_000);
    expect(turns.poll('small', 4)).toEqual(GRANTED);
  });

  it('expects none that has left before it came, and none for longer than ten minutes', () => {
    const turns = queue(TURN_LIMITS);
    turns.announce('refused', 1);
    turns.announce('b', 3);
    turns.pass(2_000);
    expect(turns.leave('refused')).toEqual({ left: false });
    expect(turns.poll('b', 3)).toEqual(GRANTED);
    turns.leave('b');
    turns.announce('dead', 1);
    turns.announce('c', 3);
    turns.pass(10 * MINUTE + 1);
    turns.announce('c', 3);
    turns.pass(1_000);
    expect(turns.poll('c', 3)).toEqual(GRANTED);
    expect(turns.state.announced).toBeUndefined();
  });

  it('passes over waiters that are silent for two minutes, and takes them back in their place', () => {
    const turns = queue();
    turns.poll('holder', 0);
    turns.poll('silent', 1);
    turns.pass(2 * MINUTE);
    expect(turns.poll('other', 2)).toEqual(behind(2));
    turns.pass(1);
    expect(turns.poll('other', 2)).toEqual(behind(1));
    expect(turns.poll('silent', 1)).toEqual(behind(1));
    expect(turns.poll('other', 2)).toEqual(behind(2));
  });

  it('names a holder that is silent for ten minutes, and takes the turn from it only if it is still silent then', () => {
    const turns = queue();
    turns.poll('holder');
    turns.pass(10 * MINUTE);
    expect(turns.poll('next')).toEqual(behind(1));
    expect(turns.evict('holder')).toEqual({ evicted: false });
    turns.pass(1);
    expect(turns.poll('next')).toEqual({ ...behind(1), silentHolder: 'holder' });
    expect(turns.evict('next')).toEqual({ evicted: false });
    turns.poll('holder');
    expect(turns.evict('holder')).toEqual({ evicted: false });
    turns.pass(10 * MINUTE + 1);
    expect(turns.evict('holder')).toEqual({ evicted: true });
    expect(turns.evict('holder')).toEqual({ evicted: false });
    expect(turns.poll('next')).toEqual(GRANTED);
    expect(turns.poll('holder')).toEqual(behind(1));
  });

  it('does not mind who leaves that was not there', () => {
    const turns = queue();
    turns.poll('a');
    expect(turns.leave('b')).toEqual({ left: false });
    expect(turns.poll('a')).toEqual(GRANTED);
  });

  it('finds silent what was seen by a clock that was ahead', () => {
    const turns = queue();
    turns.pass(60 * MINUTE);
    turns.poll('holder');
    turns.pass(-60 * MINUTE);
    expect(turns.poll('next')).toEqual(behind(1));
    turns.pass(10 * MINUTE + 1);
    expect(turns.poll('next')).toMatchObject({ silentHolder: 'holder' });
  });

  it('stays small, and still grants everybody the turn in order', () => {
    const turns = queue();
    const count = MOST_WAITERS + 30;
    turns.poll('holder', 0);
    const runs = Array.from({ length: count }, (_, i) => ({ runId: `run${i}`, second: i + 1 }));
    for (const { runId, second } of runs.toReversed()) turns.poll(runId, second);
    expect(turns.state.waiters).toHaveLength(MOST_WAITERS);
    for (let i = 0; i < count; i++) turns.announce(`more${i}`, count + 1 + i);
    expect(turns.state.announced).toHaveLength(MOST_WAITERS);
    turns.leave('holder');
    for (const { runId, second } of runs) {
      expect(turns.poll(runId, second)).toEqual(GRANTED);
      turns.leave(runId);
    }
  });
});

describe('whatever happens', () => {
  const RUNS = 6;
  const command = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('poll' as const), run: fc.nat(RUNS - 1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('announce' as const), run: fc.nat(RUNS - 1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), run: fc.nat(RUNS - 1) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const), run: fc.nat(RUNS - 1) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(4 * MINUTE) }) },
  );
  const places = fc.array(fc.record({ second: fc.nat(3), name: fc.constantFrom('a', 'b') }), {
    minLength: RUNS,
    maxLength: RUNS,
  });

  it('one run at most has the turn, it is the first of those that wait, and all that go on asking get it in order', () => {
    fc.assert(
      fc.property(places, fc.array(command, { maxLength: 80 }), (where, commands) => {
        const turns = queue(TURN_LIMITS);
        const placeOf = (run: number) => where[run] ?? { second: 0, name: '' };
        const order = (a: number, b: number) =>
          placeOf(a).second - placeOf(b).second || placeOf(a).name.localeCompare(placeOf(b).name) || a - b;
        const poll = (run: number) => turns.poll(`run${run}`, placeOf(run).second, placeOf(run).name);
        let holder: number | undefined;
        let clock = 0;
        const lastAsked = new Map<number, number>();
        for (const step of commands) {
          if (step.kind === 'pass') {
            turns.pass(step.ms);
            clock += step.ms;
          } else if (step.kind === 'announce') {
            const { second, name } = placeOf(step.run);
            turns.announce(`run${step.run}`, second, name);
          } else if (step.kind === 'leave') {
            turns.leave(`run${step.run}`);
            lastAsked.delete(step.run);
            if (holder === step.run) holder = undefined;
          } else if (step.kind === 'evict') {
            const isSilent = holder === step.run && clock - (lastAsked.get(step.run) ?? 0) > TURN_LIMITS.holderSilentMs;
            expect(turns.evict(`run${step.run}`)).toEqual({ evicted: isSilent });
            if (isSilent) {
              holder = undefined;
              lastAsked.delete(step.run);
            }
          } else {
            const { granted } = poll(step.run);
            if (granted && holder !== step.run) {
              expect(holder).toBeUndefined();
              const waiting = [...lastAsked].filter(([, at]) => clock - at <= TURN_LIMITS.waiterSilentMs);
              for (const [other] of waiting) expect(order(step.run, other)).toBeLessThanOrEqual(0);
              holder = step.run;
            } else if (holder === step.run) expect(granted).toBe(true);
            lastAsked.set(step.run, clock);
          }
        }
        // From here on everybody asks and nobody is silent: each gets the turn, in order.
        const got: number[] = [];
        const rest = new Set(where.keys());
        if (holder !== undefined) {
          turns.leave(`run${holder}`);
          rest.delete(holder);
        }
        for (let round = 0; rest.size > 0 && round < 4 * RUNS; round++) {
          // Asked by all before the one that has it leaves: then all are in the queue.
          const granted = [...rest].reverse().filter((run) => poll(run).granted);
          expect(granted.length).toBeLessThanOrEqual(1);
          for (const run of granted) {
            got.push(run);
            turns.leave(`run${run}`);
            rest.delete(run);
          }
          turns.pass(2_000);
        }
        expect(rest.size).toBe(0);
        // The first may have had its turn before those that come before it were in the queue.
        expect(got.slice(1)).toEqual(got.slice(1).toSorted(order));
      }),
      { numRuns: 400 },
    );
  });
});

describe('a message to the queue', () => {
  const limits = TURN_LIMITS;
  it.each([
    ['poll', { runId: 'r', droppedAt: 'd', name: 'n', limits }, true],
    ['evict', { runId: 'r', limits }, true],
    ['leave', { runId: 'r' }, true],
    ['announce', { runId: 'r', droppedAt: 'd', name: 'n' }, true],
    ['announce', { runId: 'r', name: 'n' }, false],
    ['poll', { runId: 'r', droppedAt: 'd', name: 'n' }, false],
    ['poll', { runId: 'r', limits }, false],
    ['evict', { runId: 'r', limits: { holderSilentMs: 1 } }, false],
    ['leave', {}, false],
    ['leave', null, false],
    ['delete', { runId: 'r', droppedAt: 'd', name: 'n', limits }, false],
  ])('%s %j is understood: %s', (kind, input, understood) => {
    expect(parseTurnOperation(kind, input)).toEqual(understood ? { kind, ...input } : undefined);
  });
});
