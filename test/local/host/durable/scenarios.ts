import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { EntityId } from 'durable-functions';
import { expect } from 'vitest';
import type { EngineProcess, InstanceStatus } from './engineProcess.ts';

export interface Scenario {
  /** What the engine does, as a sentence. */
  readonly name: string;
  readonly run: (engine: EngineProcess) => Promise<void>;
}

const isRunning = ({ runtimeStatus }: InstanceStatus) => runtimeStatus === 'Running';

async function expectOutput(engine: EngineProcess, name: string, input: unknown, output: unknown): Promise<void> {
  const status = await engine.run(name, input);
  expect(status).toMatchObject({ runtimeStatus: 'Completed', output });
}

async function expectFailure(engine: EngineProcess, name: string, input: unknown, reason: unknown): Promise<void> {
  const status = await engine.run(name, input);
  expect(status).toMatchObject({ runtimeStatus: 'Failed', output: reason });
}

/** Starts an instance and waits until its first turn is over. */
async function startAndWait(engine: EngineProcess, name: string, input?: unknown): Promise<string> {
  const instanceId = await engine.start(name, input);
  await engine.until(instanceId, isRunning);
  return instanceId;
}

/** Lets events gather while the instance takes none, so that they arrive in one batch. */
async function raiseTogether(engine: EngineProcess, instanceId: string, events: [string, unknown][]): Promise<void> {
  await engine.client.suspend(instanceId, 'gather events');
  await engine.until(instanceId, ({ runtimeStatus }) => runtimeStatus === 'Suspended');
  for (const [name, value] of events) {
    await engine.client.raiseEvent(instanceId, name, value);
  }
  await engine.client.resume(instanceId, 'go on');
}

/** What must hold with and without unkindness. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'runs activities one after another, with strings that look like JSON left alone',
    run: (engine) =>
      expectOutput(engine, 'sequence', ['a', '42', 3, { b: [true, null] }], ['a', '42', 3, { b: [true, null] }]),
  },
  {
    name: 'gives activities what the extension gives them: booleans as .NET text, null as undefined',
    run: (engine) =>
      expectOutput(
        engine,
        'inputTypes',
        ['x', 'true', 1.5, true, null, { ok: false }, []],
        [
          { type: 'string', value: 'x' },
          { type: 'string', value: 'true' },
          { type: 'number', value: 1.5 },
          { type: 'string', value: 'True' },
          { type: 'undefined' },
          { type: 'object', value: { ok: false } },
          { type: 'object', value: [] },
          null,
        ],
      ),
  },
  {
    name: 'fans out to twenty activities with retries and keeps the sequence ids of the library',
    run: (engine) =>
      expectOutput(
        engine,
        'fanOutWithRetries',
        { count: 20, failures: 2 },
        { values: Array.from({ length: 20 }, (_, index) => index), last: 'after' },
      ),
  },
  {
    name: 'reports the last failure when all retries are used up',
    run: (engine) =>
      expectOutput(engine, 'retriesExhausted', null, {
        caught: "Activity function 'fail' failed: always",
        after: 'after',
      }),
  },
  {
    name: 'goes on with the activity that beats a timer, and completes at once when the timer is cancelled',
    async run(engine) {
      const instanceId = await engine.start('anyOfActivityAndTimer', {
        activityMs: 10,
        timerMs: 600_000,
        cancel: true,
      });
      expect((await engine.untilEnded(instanceId)).output).toEqual({ winner: 'activity', after: 'after' });
    },
  },
  {
    name: 'stays running until a timer that nobody cancelled has fired',
    async run(engine) {
      const begin = Date.now();
      const instanceId = await engine.start('anyOfActivityAndTimer', { activityMs: 10, timerMs: 1_200, cancel: false });
      const { output, historyEvents } = await engine
        .untilEnded(instanceId)
        .then(() => engine.status(instanceId, '?showHistory=true'));
      expect(output).toMatchObject({ after: 'after' });
      expect(Date.now() - begin).toBeGreaterThanOrEqual(1_200);
      expect(historyEvents?.filter((event) => event['EventType'] === 'TimerFired')).toHaveLength(1);
    },
  },
  {
    name: 'lets a timer beat an activity',
    run: (engine) =>
      expectOutput(
        engine,
        'anyOfActivityAndTimer',
        { activityMs: 3_000, timerMs: 10, cancel: false },
        { winner: 'timer' },
      ),
  },
  {
    name: 'serves two waits for one event name last come first',
    async run(engine) {
      const instanceId = await startAndWait(engine, 'twoParallelWaits');
      await engine.client.raiseEvent(instanceId, 'signal', 'first');
      await engine.client.raiseEvent(instanceId, 'signal', 'second');
      expect((await engine.untilEnded(instanceId)).output).toEqual(['second', 'first']);
    },
  },
  {
    name: 'keeps events that nobody waits for yet, in their order',
    async run(engine) {
      const instanceId = await engine.start('bufferedEvents');
      for (const [name, value] of [
        ['item', 1],
        ['ITEM', 'names have a case'],
        ['item', { two: 2 }],
        ['begin', null],
      ] as const) {
        await engine.client.raiseEvent(instanceId, name, value);
      }
      expect((await engine.untilEnded(instanceId)).output).toEqual([1, { two: 2 }]);
    },
  },
  {
    name: 'takes an event before its timeout, also one without data',
    async run(engine) {
      const instanceId = await startAndWait(engine, 'eventOrTimeout', 600_000);
      await engine.client.raiseEvent(instanceId, 'answer', undefined);
      expect((await engine.untilEnded(instanceId)).output).toEqual({ answer: null });
      await expectOutput(engine, 'eventOrTimeout', 20, 'timeout');
    },
  },
  {
    name: 'carries events over to the next execution when the orchestrator continues as new',
    async run(engine) {
      const instanceId = await startAndWait(engine, 'collectItems', { items: [], wanted: 4 });
      await raiseTogether(engine, instanceId, [
        ['item', 'a'],
        ['item', 'b'],
        ['item', 'c'],
      ]);
      await engine.until(instanceId, ({ input }) => (input as { items: string[] }).items.length === 3);
      await engine.client.raiseEvent(instanceId, 'item', 'd');
      expect((await engine.untilEnded(instanceId)).output).toEqual(['a', 'b', 'c', 'd']);
    },
  },
  {
    name: 'loses events that were buffered before the orchestrator continued as new, as the extension does',
    async run(engine) {
      const instanceId = await startAndWait(engine, 'loseBuffered', { second: false });
      await raiseTogether(engine, instanceId, [
        ['other', 1],
        ['go', null],
      ]);
      expect((await engine.untilEnded(instanceId)).output).toBe('lost');
    },
  },
  {
    name: 'counts up over many executions of one instance, each with a history of its own',
    async run(engine) {
      const instanceId = await engine.start('countUp', { count: 0, limit: 12 });
      await engine.untilEnded(instanceId);
      const status = await engine.status(instanceId, '?showHistory=true');
      expect(status).toMatchObject({ output: 12, input: { count: 11, limit: 12 } });
      expect(status.historyEvents?.filter((event) => event['EventType'] === 'TaskCompleted')).toHaveLength(1);
    },
  },
  {
    name: 'runs sub-orchestrations: plain, with an id, failing, and with retries',
    async run(engine) {
      const instanceId = await engine.start('parent');
      expect(await engine.untilEnded(instanceId)).toMatchObject({
        runtimeStatus: 'Completed',
        output: {
          good: { value: 'good', parent: instanceId },
          named: { value: 'named', parent: instanceId },
          caught: "Orchestrator function 'child' failed: child of bad fails",
          retried: 'third time',
          after: 'after',
        },
      });
      expect(await engine.status(`${instanceId}-named`)).toMatchObject({ name: 'child', runtimeStatus: 'Completed' });
    },
  },
  {
    name: 'tells the parent when a sub-orchestration is terminated',
    async run(engine) {
      const childId = randomUUID();
      const instanceId = await engine.start('waitForChild', childId);
      await waitUntil(() => engine.status(childId).then(isRunning, () => false));
      await engine.client.terminate(childId, 'enough');
      expect((await engine.untilEnded(instanceId)).output).toBe('enough');
    },
  },
  {
    name: 'fails a sub-orchestration whose id is taken by a running instance',
    async run(engine) {
      const childId = randomUUID();
      await engine.start('waitForEvent', null, childId);
      await engine.until(childId, isRunning);
      const { output } = await engine.run('waitForChild', childId);
      expect(output).toBe(
        `Orchestrator function 'waitForEvent' failed: An Orchestration instance with the status Running already exists: '${childId}'.`,
      );
      await engine.client.terminate(childId, 'tidy up');
    },
  },
  {
    name: 'never fires a timer early',
    async run(engine) {
      const { output } = await engine.run('timer', 150);
      const { waited, after } = output as { waited: number; after: string };
      expect(waited).toBeGreaterThanOrEqual(150);
      expect(after).toBe('after');
    },
  },
  {
    name: 'calls and signals an entity, in the order of the calls',
    async run(engine) {
      const key = randomUUID();
      await expectOutput(engine, 'useCounter', key, { value: 15, after: 'after' });
      const state = await engine.client.readEntityState(new EntityId('counter', key));
      expect(state).toMatchObject({ entityExists: true, entityState: 15 });
    },
  },
  {
    name: 'answers a throwing entity operation with "[object Object]" and keeps what it had stored',
    run: (engine) => expectOutput(engine, 'throwingEntity', randomUUID(), { caught: '[object Object]', value: 3 }),
  },
  {
    name: 'passes signals between entities and forgets an entity that destroyed itself',
    async run(engine) {
      const [from, to] = [randomUUID(), randomUUID()];
      await engine.client.signalEntity(new EntityId('Counter', from), 'add', 7);
      await engine.client.signalEntity(new EntityId('Counter', from), 'forward', to);
      const target = new EntityId('Counter', to);
      await waitUntil(async () => (await engine.client.readEntityState(target)).entityState === 7);
      await engine.client.signalEntity(target, 'delete');
      await waitUntil(async () => !(await engine.client.readEntityState(target)).entityExists);
    },
  },
  {
    name: 'processes the signals of one sender in their order, none twice',
    async run(engine) {
      const list = new EntityId('list', randomUUID());
      const items = Array.from({ length: 25 }, (_, index) => index);
      for (const item of items) {
        await engine.client.signalEntity(list, 'push', item);
      }
      await waitUntil(
        async () => (await engine.client.readEntityState<number[]>(list)).entityState?.length === items.length,
      );
      expect((await engine.client.readEntityState(list)).entityState).toEqual(items);
    },
  },
  {
    name: 'shows the custom status while the orchestrator runs and after it',
    async run(engine) {
      const instanceId = await engine.start('customStatus', 3);
      await engine.until(instanceId, ({ customStatus }) => (customStatus as { step?: number } | null)?.step === 1);
      await engine.client.raiseEvent(instanceId, 'next', null);
      expect(await engine.untilEnded(instanceId)).toMatchObject({
        customStatus: { step: 2, text: 'xxx' },
        output: 'done',
      });
    },
  },
  {
    name: 'fails an orchestration whose custom status is longer than 16 KB',
    async run(engine) {
      const instanceId = await startAndWait(engine, 'customStatus', 9_000);
      await engine.client.raiseEvent(instanceId, 'next', null);
      expect(await engine.untilEnded(instanceId)).toMatchObject({
        runtimeStatus: 'Failed',
        output:
          "Orchestrator function 'customStatus' failed: The size of the JSON-serialized payload must not exceed 16 KB of UTF-16 text.",
        customStatus: { step: 1 },
      });
    },
  },
  {
    name: 'has the reason as the output of a failed orchestration',
    run: (engine) => expectFailure(engine, 'failing', 'boom', "Orchestrator function 'failing' failed: boom"),
  },
  {
    name: 'fails an orchestration with the text of an activity that it did not catch',
    run: (engine) =>
      expectFailure(
        engine,
        'failingActivity',
        'no luck; SharedAccessKey=c2VjcmV0',
        expect.stringMatching(
          /^Orchestrator function 'failingActivity' failed: Activity function 'fail' failed: no luck; SharedAccessKey=\[Hidden Credential\] \n (?!.*c2VjcmV0)/,
        ),
      ),
  },
  {
    name: 'fails an orchestration that calls an unknown activity or sub-orchestrator, by name',
    async run(engine) {
      await expectFailure(
        engine,
        'unknownActivity',
        null,
        expect.stringContaining(
          "The function 'noSuchActivity' doesn't exist, is disabled, or is not an activity function.",
        ),
      );
      await expectFailure(
        engine,
        'unknownChild',
        null,
        expect.stringContaining(
          "The function 'noSuchOrchestrator' doesn't exist, is disabled, or is not an orchestrator function.",
        ),
      );
      await expectFailure(engine, 'noSuchOrchestrator', null, expect.stringContaining("'noSuchOrchestrator'"));
    },
  },
  {
    name: 'fails orchestrations that lock entities or call HTTP, which it does not support',
    async run(engine) {
      await expectFailure(
        engine,
        'locks',
        null,
        expect.stringContaining('context.df.lock() (critical sections) is not supported'),
      );
      await expectFailure(engine, 'callsHttp', null, expect.stringContaining('context.df.callHttp() is not supported'));
    },
  },
  {
    name: 'terminates a running instance and leaves its children alone',
    async run(engine) {
      const childId = randomUUID();
      const instanceId = await engine.start('waitForChild', childId);
      await waitUntil(() => engine.status(childId).then(isRunning, () => false));
      await engine.client.terminate(instanceId, 'no more');
      expect(await engine.untilEnded(instanceId)).toMatchObject({ runtimeStatus: 'Terminated', output: 'no more' });
      expect(await engine.status(childId)).toMatchObject({ runtimeStatus: 'Running' });
      await engine.client.terminate(childId, 'tidy up');
    },
  },
  {
    name: 'holds everything back while an instance is suspended and loses nothing',
    async run(engine) {
      const instanceId = await startAndWait(engine, 'bufferedEvents');
      await raiseTogether(engine, instanceId, [
        ['item', 1],
        ['begin', null],
        ['item', 2],
      ]);
      expect((await engine.untilEnded(instanceId)).output).toEqual([1, 2]);
    },
  },
  {
    name: 'gives an orchestrator the same ids and times in each replay',
    async run(engine) {
      const { output } = await engine.run('replayFacts');
      const { guids } = output as { guids: string[] };
      expect(output).toMatchObject({ isReplayingAtTheEnd: false, moved: true });
      expect(new Set(guids).size).toBe(2);
    },
  },
  {
    name: 'starts one run when forty clients start the same instance at once',
    async run(engine) {
      const instanceId = randomUUID();
      const responses = await Promise.all(
        Array.from({ length: 40 }, () => engine.call('POST', `orchestrators/waitForEvent/${instanceId}`, {})),
      );
      const codes = responses.map((response) => response.status).sort();
      expect(codes).toEqual([202, ...Array.from({ length: 39 }, () => 409)]);
      await engine.client.raiseEvent(instanceId, 'finish', 'once');
      expect((await engine.untilEnded(instanceId)).output).toBe('once');
    },
  },
];

/** Waits for a condition that no status of an instance tells. (expect.poll does not work in concurrent tests.) */
async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 45_000;
  while (!(await holds())) {
    expect(Date.now()).toBeLessThan(deadline);
    await pause(20);
  }
}
