/** The loop of runs under the executor of the library: an event to wake may come at any moment. */

import { describe, expect, it } from 'vitest';
import type { ScheduledWork } from '../../local/host/durable/interpreter.ts';
import type { Step } from '../../src/lib/runs/step.ts';
import { WAKE_EVENT } from '../../src/orchestrations/instanceIds.ts';
import { run } from '../../src/orchestrations/run.ts';
import { type EngineResult, type Raised, runReplayed } from '../helpers/replayEngine.ts';

const runId = '0123456789abcdef0123';
const ticket = { runId, droppedAt: '2026-11-20T01:59:00.000Z', name: 'a/devices.txt' };
const WORK_MS = 200;

const look = (at: number) => ({ do: 'call', activity: 'look', input: { runId, at } }) as const;
const next = look(0);
const wait: Step = { do: 'wait', seconds: 30, next };
const held = (leave: boolean): Step => ({ do: 'suspended', seconds: 300, leave, next });
const keep: Step = { ...next, keepTurn: true };
const turn: Step = { do: 'turn', next, ask: { activity: 'awaitTurn', input: { runId } } };
const work = { wave: 'retry1', chunks: 3, width: 2, grant: 10, itemsPerMinute: 100 };
const lanes: Step = { do: 'lanes', runId, work, next };
const broken = new Error('storage is away');
const ended: Step = { do: 'ended', state: 'completed' };

/** What each look says is next, in order. */
const WAITS: readonly (Step | Error)[] = [wait, wait, wait, keep, wait, next, wait, ended];
const SUSPENDED: readonly (Step | Error)[] = [held(true), held(false), held(true), held(true), wait, ended];
const MIXED: readonly (Step | Error)[] = [
  wait,
  turn,
  broken,
  wait,
  lanes,
  wait,
  held(true),
  broken,
  held(true),
  turn,
  ended,
];

function go(looks: readonly (Step | Error)[], raised: readonly Raised[] = []): Promise<EngineResult> {
  const steps = [...looks];
  const polls = [{ granted: true }, { granted: false, position: 2 }, { granted: false, position: 0, graceLeftMs: 500 }];
  const answer = (asked: ScheduledWork): unknown => {
    if (asked.kind === 'entityMessage') return polls.shift() ?? { granted: true };
    if (asked.kind === 'subOrchestration') return { ended: true };
    if (asked.kind === 'timer') return undefined;
    switch (asked.name) {
      case 'readOptions':
        return { do: 'place', hub: 'east', ticket, next } satisfies Step;
      case 'awaitTurn':
        return { do: 'askAgain', seconds: 20, standing: { position: 2, since: 0 } };
      default:
        return steps.shift() ?? ended;
    }
  };
  return runReplayed(run, { runId }, { answer, workMs: WORK_MS, raised });
}

const sides = ['before', 'after', 'later'] as const;

/** Every single event beside every delivery, and every two that come close together. */
function everywhere(deliveries: number): Raised[][] {
  const single = Array.from({ length: deliveries }, (_, delivery) =>
    sides.map((side) => ({ name: WAKE_EVENT, delivery, side })),
  ).flat();
  return single.flatMap((one, at) => [[one], ...single.slice(at, at + 7).map((two) => [one, two])]);
}

/**
 * How long it took, ms, from each event to the next activity that was called after it: by then the record is read. What
 * was under way when it came, and questions to the queue, take their time.
 */
function delays({ happenings, endedAt }: EngineResult): number[] {
  return happenings.flatMap(({ what, at }, index) => {
    if (what !== `raised ${WAKE_EVENT}`) return [];
    const then = happenings.slice(index).find((each) => each.what === 'look' || each.what === 'awaitTurn');
    return [(then?.at ?? endedAt) - at];
  });
}

describe.each([
  ['that waits', WAITS],
  ['that is suspended', SUSPENDED],
  ['that does all there is', MIXED],
])('a run %s', (_what, looks) => {
  it('ends with no timer left, and reads its record at once, whenever it is woken, once or twice', async () => {
    const undisturbed = await go(looks);
    expect(undisturbed).toMatchObject({ status: 'completed', output: { state: 'completed' } });
    const late: unknown[] = [];
    for (const raised of everywhere(undisturbed.deliveries)) {
      const result = await go(looks, raised);
      expect(result, JSON.stringify(raised)).toMatchObject({ status: 'completed', output: { state: 'completed' } });
      // A failed activity is retried after seconds.
      if (delays(result).some((ms) => ms > 5_000)) late.push({ raised, delays: delays(result) });
    }
    expect(late).toEqual([]);
  }, 60_000);
});

it('a run that is woken at the end of a history reads its record within half a minute, however long it is suspended', async () => {
  // The history ends between the look that says what is next, and the wait for it.
  const looks = [next, ...Array(60).fill(held(true))];
  const turnOver = (await go(looks)).happenings.find(({ what }) => what === 'continueAsNew')?.delivery ?? 0;
  expect(turnOver).toBeGreaterThan(20);
  for (let delivery = turnOver - 3; delivery < turnOver + 3; delivery++) {
    for (const side of sides) {
      const result = await go(looks, [{ name: WAKE_EVENT, delivery, side }]);
      expect(result.status).toBe('completed');
      expect(Math.max(...delays(result)), JSON.stringify({ delivery, side })).toBeLessThanOrEqual(30_000 + WORK_MS);
    }
  }
}, 60_000);
