import type { DurableEngineOptions } from '../contracts.ts';
import type { Clock } from './clock.ts';
import type { FunctionRegistry } from './functionRegistry.ts';
import type { TimerLimits } from './interpreter.ts';
import type { Mailroom } from './mailroom.ts';
import type { EngineSettings } from './settings.ts';
import type { DurableStore } from './store.ts';

/** What the parts of the engine work with. */
export interface EngineParts {
  readonly store: DurableStore;
  readonly mailroom: Mailroom;
  readonly clock: Clock;
  readonly functions: FunctionRegistry;
  readonly settings: EngineSettings;
  readonly timerLimits: TimerLimits;
  readonly invoke: DurableEngineOptions['invoke'];
  readonly unkind: DurableEngineOptions['unkind'];
  readonly log: DurableEngineOptions['log'];
}

const largePayloadBytes = 60 * 1024;

/** Warns of a value that the Azure Storage provider would have to move into a blob: a smell in an app. */
export function warnOfLargePayload(log: EngineParts['log'], what: string, json: string | null): void {
  if (json !== null && json.length > largePayloadBytes) {
    log(
      'warning',
      `${what} has ${Math.round(json.length / 1024)} KB. Values above 60 KB slow every replay down; pass a reference (a blob name, an id) instead.`,
    );
  }
}
