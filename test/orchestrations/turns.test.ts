import type { EntityId, OrchestrationContext } from 'durable-functions';
import { expect, it } from 'vitest';

import type { AskInput, AskReply } from '../../src/lib/runs/step.ts';
import { turnDelaySeconds } from '../../src/lib/turns/delays.ts';
import { applyTurn, NO_TURNS, parseTurnOperation, TURN_LIMITS, type TurnState } from '../../src/lib/turns/turnQueue.ts';
import { run as orchestration, type RunInput } from '../../src/orchestrations/run.ts';
import { announceTurn, leaveTurn } from '../../src/orchestrations/turns.ts';

/** What an orchestration waits for. */
type Waits = { readonly reply: unknown } | { readonly until: number };

/** Runs that take turns on one hub, each holding it for `holdMs`, in a world whose clock jumps to what is next. */
function takeTurns(
  count: number,
  holdMs: number,
): { readonly order: number[]; readonly ms: number; readonly asked: number } {
  let state: TurnState = NO_TURNS;
  let now = Date.parse('2026-11-20T02:00:00Z');
  const begun = now;
  let asked = 0;
  const due: { readonly at: number; go(): void }[] = [];
  const order: number[] = [];

  const apply = (operation: string, input: unknown): unknown => {
    const parsed = parseTurnOperation(operation, input);
    if (parsed === undefined) throw new Error(`not understood: ${operation}`);
    const result = applyTurn(state, parsed, now);
    state = result.state;
    return result.reply;
  };
  const ask = ({ position, standing: before }: AskInput): AskReply => {
    const standing = before?.position === position ? before : { position, since: now };
    return { do: 'askAgain', seconds: turnDelaySeconds(position, now - standing.since), standing };
  };
  const start = (number: number): void => {
    const runId = `run${number}`;
    const place = {
      hub: 'east',
      ticket: { runId, droppedAt: '2026-11-20T01:59:00.000Z', name: String(number).padStart(4, '0') },
      limits: TURN_LIMITS,
    };
    const turn = { do: 'turn', next: { do: 'call', activity: 'hold', input: { runId } } } as const;
    let input: unknown = {
      runId,
      place,
      step: { ...turn, ask: { activity: 'awaitTurn', input: { runId } } },
    } satisfies RunInput;
    let history: Generator<unknown, unknown, unknown>;
    const df = {
      getInput: () => input,
      get currentUtcDateTime() {
        return new Date(now);
      },
      setCustomStatus: () => undefined,
      // What the run does at its end is done here when it has held its turn.
      signalEntity: () => undefined,
      callEntity: (_entity: EntityId, operation: string, value: unknown): Waits => {
        asked += 1;
        return { reply: apply(operation, value) };
      },
      callActivityWithRetry: (name: string, _policy: unknown, value: unknown): Waits => {
        if (name === 'awaitTurn') return { reply: ask(value as AskInput) };
        order.push(number);
        due.push({ at: now + holdMs, go: () => apply('leave', { runId }) });
        return { reply: { do: 'ended', state: 'completed' } };
      },
      createTimer: (at: Date): Waits => ({ until: at.getTime() }),
      waitForExternalEvent: () => ({}),
      Task: { any: ([timer]: Waits[]) => timer },
      continueAsNew: (value: unknown) => {
        input = value;
        history = orchestration(context);
        go(undefined);
      },
    };
    const context = { df } as unknown as OrchestrationContext;
    const go = (answer: unknown): void => {
      const step = history.next(answer);
      if (step.done) return;
      const waits = step.value as Waits;
      if ('reply' in waits) go(waits.reply);
      else due.push({ at: waits.until, go: () => go(undefined) });
    };
    apply('announce', place.ticket);
    history = orchestration(context);
    go(undefined);
  };

  for (let run = 0; run < count; run++) due.push({ at: now + run * 50, go: () => start(run) });
  while (due.length > 0) {
    due.sort((a, b) => a.at - b.at);
    const next = due.shift();
    now = next?.at ?? now;
    next?.go();
  }
  return { order, ms: now - begun, asked };
}

const inOrder = (count: number) => Array.from({ length: count }, (_, run) => run);

it('thirty files of one line follow one another, each within about a second of the one before it', () => {
  const { order, ms } = takeTurns(30, 2_000);
  expect(order).toEqual(inOrder(30));
  expect(ms).toBeLessThan(30 * 3_000);
});

it('those who wait behind jobs of half an hour get their turn within a minute, and ask about twice a minute', () => {
  const { order, ms, asked } = takeTurns(10, 30 * 60_000);
  expect(order).toEqual(inOrder(10));
  expect(ms).toBeLessThan(10 * 31 * 60_000);
  const minutesWaited = order.reduce((sum, run) => sum + run * 30, 0);
  expect(asked).toBeLessThan(minutesWaited * 3.5);
});

it('who announces itself and leaves again is expected no longer', () => {
  const signals: unknown[] = [];
  const context = {
    df: {
      signalEntity: (entity: EntityId, operation: string) => signals.push([`${entity.name}@${entity.key}`, operation]),
    },
  } as unknown as OrchestrationContext;
  const ticket = { runId: 'r', droppedAt: '2026-11-20T01:59:00.000Z', name: 'a' };
  announceTurn(context, { hub: 'east', ticket, limits: TURN_LIMITS });
  leaveTurn(context, { hub: 'east', ticket, limits: TURN_LIMITS });
  expect(signals).toEqual([
    ['turn@east', 'announce'],
    ['turn@east', 'leave'],
  ]);
});
