import { type BlobFunction, blobFunction } from './blob/blobTrigger.ts';
import type { StorageConnection } from './connections.ts';
import type { LoadedFunction } from './contracts.ts';
import { type EventHubFunction, eventHubFunction } from './eventHub/eventHubTrigger.ts';
import { type HttpFunction, httpFunction, routeConflicts } from './http/httpTrigger.ts';
import { isDisabled, resolveBinding, type Settings } from './settings.ts';
import { type TimerFunction, timerFunction } from './timer/timerTrigger.ts';

/** An app's functions by what triggers them, options read and checked. Disabled ones are left out. */
export interface AppFunctions {
  readonly http: readonly HttpFunction[];
  readonly timers: readonly TimerFunction[];
  readonly blobs: readonly BlobFunction[];
  readonly eventHubs: readonly EventHubFunction[];
  /** Functions that the durable engine runs. */
  readonly durable: readonly LoadedFunction[];
  readonly needsDurable: boolean;
  readonly disabled: readonly string[];
}

export interface AppFunctionsOptions {
  readonly functions: readonly LoadedFunction[];
  readonly capabilities: Readonly<Record<string, string>>;
  readonly settings: Settings;
  readonly routePrefix: string;
  readonly connect: (name: string | undefined) => StorageConnection;
}

const durableTriggers = new Set(['activityTrigger', 'orchestrationTrigger', 'entityTrigger']);

const supportedTriggers = ['httpTrigger', 'timerTrigger', 'blobTrigger', 'eventHubTrigger', ...durableTriggers];

/** Trigger types for which the real host obeys the `retry` option, among those that this one has. */
const retryTriggers = new Set(['timerTrigger', 'eventHubTrigger']);

/**
 * Sorts an app's functions and checks each: what this host does not support is a problem, named by function and type,
 * never something that is left undone in silence.
 *
 * @returns the functions, and all problems at once as sentences.
 */
export function readAppFunctions(options: AppFunctionsOptions): {
  readonly functions: AppFunctions;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
} {
  const { settings } = options;
  const problems: string[] = [];
  const warnings: string[] = [];
  const http: HttpFunction[] = [];
  const timers: TimerFunction[] = [];
  const blobs: BlobFunction[] = [];
  const eventHubs: EventHubFunction[] = [];
  const durable: LoadedFunction[] = [];
  const disabled: string[] = [];
  let needsDurable = false;

  if (options.capabilities['HttpUri'] !== undefined) {
    problems.push('app.setup({ enableHttpStream: true }): HTTP streaming is not supported by this host');
  }
  for (const loaded of options.functions) {
    if (isDisabled(loaded.name, settings)) {
      disabled.push(loaded.name);
      continue;
    }
    try {
      checkName(loaded.name);
      checkBindings(loaded);
      if (loaded.retryOptions !== undefined && !retryTriggers.has(loaded.triggerType)) {
        warnings.push(`function "${loaded.name}": "retry" has no effect on a ${loaded.triggerType}`);
      }
      needsDurable ||= Object.values(loaded.bindings).some((binding) => binding.type === 'durableClient');
      const binding = () => resolveBinding(loaded.bindings[loaded.triggerBindingName] ?? {}, settings);
      if (loaded.triggerType === 'httpTrigger') {
        http.push(httpFunction(loaded, options.routePrefix));
      } else if (loaded.triggerType === 'timerTrigger') {
        timers.push(timerFunction(loaded, binding(), settings.get('WEBSITE_TIME_ZONE')));
      } else if (loaded.triggerType === 'blobTrigger') {
        blobs.push(blobFunction(loaded, binding(), options.connect));
      } else if (loaded.triggerType === 'eventHubTrigger') {
        eventHubs.push(eventHubFunction(loaded, binding(), settings));
      } else {
        durable.push(loaded);
        needsDurable = true;
      }
    } catch (error) {
      problems.push(`function "${loaded.name}": ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  problems.push(...routeConflicts(http));
  return { functions: { http, timers, blobs, eventHubs, durable, needsDurable, disabled }, problems, warnings };
}

/** The host's rule for names (azure-functions-host, Utility.IsValidFunctionName). */
function checkName(name: string): void {
  if (!/^[a-z][a-z0-9_-]{0,127}$/i.test(name)) {
    throw new Error('the name must begin with a letter and hold up to 128 letters, digits, "_" and "-"');
  }
}

function checkBindings(loaded: LoadedFunction): void {
  if (!supportedTriggers.includes(loaded.triggerType)) {
    throw new Error(
      `trigger type "${loaded.triggerType}" is not supported by this host (supported: ${supportedTriggers.join(', ')})`,
    );
  }
  for (const [name, binding] of Object.entries(loaded.bindings)) {
    const isHttpReturn = loaded.triggerType === 'httpTrigger' && name === '$return' && binding.type === 'http';
    if (name !== loaded.triggerBindingName && binding.type !== 'durableClient' && !isHttpReturn) {
      const kind = binding.direction === 'out' ? 'output' : 'input';
      throw new Error(`${kind} binding type "${binding.type}" is not supported by this host`);
    }
  }
}
