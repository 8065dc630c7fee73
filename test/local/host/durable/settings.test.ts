import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isHostFailure } from '../../../../local/host/durable/hostFailure.ts';
import { readEngineSettings } from '../../../../local/host/durable/settings.ts';
import { createInvocations } from '../../../../local/host/invocations.ts';

describe('readEngineSettings', () => {
  it('takes ten times the cores where host.json says nothing', () => {
    const perCore = 10 * availableParallelism();
    expect(readEngineSettings({ hubName: 'x', storageProvider: {} })).toEqual({
      maxConcurrentActivities: perCore,
      maxConcurrentOrchestrators: perCore,
      maxConcurrentEntities: perCore,
      maxEntityBatchSize: 5000,
      defaultVersion: null,
    });
  });

  it.each([
    [{ maxConcurrentActivityFunctions: 0 }, 'extensions.durableTask.maxConcurrentActivityFunctions'],
    [{ maxConcurrentOrchestratorFunctions: '3' }, 'extensions.durableTask.maxConcurrentOrchestratorFunctions'],
    [{ maxEntityOperationBatchSize: 1.5 }, 'extensions.durableTask.maxEntityOperationBatchSize'],
    [{ defaultVersion: 2 }, 'extensions.durableTask.defaultVersion'],
  ])('refuses %j by name', (section, name) => {
    expect(() => readEngineSettings(section)).toThrow(name);
  });
});

describe('isHostFailure', () => {
  it('knows the time limit of the host from the errors of functions', async () => {
    const { invoke } = createInvocations({
      invoke: () => new Promise(() => {}),
      functions: [],
      timeoutMs: 1,
      log: () => {},
    });
    const error: unknown = await invoke('f', { inputs: {} }).catch((caught: unknown) => caught);
    expect(isHostFailure(error)).toBe(true);
    expect(isHostFailure(new Error('boom'))).toBe(false);
    expect(isHostFailure('boom')).toBe(false);
  });
});
