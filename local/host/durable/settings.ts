import { availableParallelism } from 'node:os';
import type { TimerLimits } from './interpreter.ts';

export interface EngineSettings {
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentOrchestrators: number;
  readonly maxConcurrentEntities: number;
  readonly maxEntityBatchSize: number;
  readonly defaultVersion: string | null;
}

const hours = 60 * 60 * 1000;

/** Limits of the Azure Storage provider. */
export const azureTimerLimits: TimerLimits = { maximumShortTimerMs: 6 * 24 * hours, longTimerLinkMs: 3 * 24 * hours };

/**
 * Reads the `extensions.durableTask` section of host.json.
 *
 * @throws Error naming the setting that has a wrong value.
 */
export function readEngineSettings(section: Readonly<Record<string, unknown>>): EngineSettings {
  const perCore = 10 * availableParallelism();
  const version = section['defaultVersion'];
  if (version !== undefined && typeof version !== 'string') {
    throw new Error(
      `host.json: extensions.durableTask.defaultVersion must be a string, not ${JSON.stringify(version)}.`,
    );
  }
  return {
    maxConcurrentActivities: count(section, 'maxConcurrentActivityFunctions', perCore),
    maxConcurrentOrchestrators: count(section, 'maxConcurrentOrchestratorFunctions', perCore),
    maxConcurrentEntities: count(section, 'maxConcurrentEntityFunctions', perCore),
    maxEntityBatchSize: count(section, 'maxEntityOperationBatchSize', 5000),
    defaultVersion: version ?? null,
  };
}

function count(section: Readonly<Record<string, unknown>>, name: string, fallback: number): number {
  const value = section[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new Error(
      `host.json: extensions.durableTask.${name} must be a whole number of at least 1, not ${JSON.stringify(value)}.`,
    );
  }
  return value;
}
