import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineProcess, startEngine } from './engineProcess.ts';
import { scenarios } from './scenarios.ts';

const modes = [
  { mode: 'A kind engine', unkindSeed: undefined },
  { mode: 'An unkind engine (seed 1)', unkindSeed: 1 },
  { mode: 'An unkind engine (seed 20)', unkindSeed: 20 },
  { mode: 'An unkind engine (seed 300)', unkindSeed: 300 },
];

describe.each(modes)('$mode', ({ unkindSeed }) => {
  let engine: EngineProcess;

  beforeAll(async () => {
    engine = await startEngine({ ...(unkindSeed !== undefined && { unkindSeed }) });
  });

  afterAll(async () => {
    expect(await engine.stop()).toBe(0);
  });

  it.concurrent.each(scenarios)('$name', ({ run }) => run(engine));
});

describe('An engine', () => {
  it('notices an orchestrator that does something else in its replay', async () => {
    const engine = await startEngine();
    try {
      expect(await engine.run('nonDeterministic')).toMatchObject({
        runtimeStatus: 'Failed',
        output: expect.stringMatching(
          /^Non-Deterministic workflow detected: .* scheduled an activity task named 'echo' .* instead scheduled an activity task named 'giveNothing'/,
        ),
      });
    } finally {
      expect(await engine.stop()).toBe(0);
    }
  });

  it('makes three links of a timer of eight days', async () => {
    // A day is 100 ms here.
    const engine = await startEngine({ timerLimits: { maximumShortTimerMs: 600, longTimerLinkMs: 300 } });
    try {
      const instanceId = await engine.start('timer', 800);
      const { output } = await engine.untilEnded(instanceId);
      expect((output as { waited: number }).waited).toBeGreaterThanOrEqual(800);
      expect(output).toMatchObject({ after: 'after' });
      const { historyEvents } = await engine.status(instanceId, '?showHistory=true');
      expect(historyEvents?.filter((event) => event['EventType'] === 'TimerFired')).toHaveLength(3);
    } finally {
      expect(await engine.stop()).toBe(0);
    }
  });
});
