import type { LoadedFunction } from '../contracts.ts';
import { parseRetry, type RetryPolicy } from '../retry.ts';
import type { Settings } from '../settings.ts';
import { type EventHubConnection, eventHubConnection } from './eventHubConnection.ts';

/** An Event Hub function with its options read. */
export interface EventHubFunction {
  readonly name: string;
  readonly bindingName: string;
  readonly connection: EventHubConnection;
  readonly consumerGroup: string;
  /** One event a call, or a batch. */
  readonly cardinality: 'one' | 'many';
  /** How the handler gets bodies; undefined: what the host makes of it by itself. */
  readonly dataType: 'binary' | 'string' | undefined;
  readonly retry: RetryPolicy | undefined;
}

const defaultConsumerGroup = '$Default';

/** Reads the options of an Event Hub trigger from its resolved binding. @throws Error saying which option is wrong. */
export function eventHubFunction(
  loaded: LoadedFunction,
  binding: Readonly<Record<string, unknown>>,
  settings: Settings,
): EventHubFunction {
  const { eventHubName = '', connection, consumerGroup = defaultConsumerGroup } = binding;
  if (typeof connection !== 'string' || connection === '') {
    throw new Error(`"connection" must be the name of an app setting, not ${JSON.stringify(connection)}`);
  }
  if (typeof eventHubName !== 'string') {
    throw new Error(`"eventHubName" must be a string, not ${JSON.stringify(eventHubName)}`);
  }
  if (typeof consumerGroup !== 'string' || consumerGroup === '') {
    throw new Error(`"consumerGroup" must be a name, not ${JSON.stringify(consumerGroup)}`);
  }
  if (binding['sdkBinding'] === true) {
    throw new Error('"sdkBinding" is not supported by this host for an eventHubTrigger');
  }
  return {
    name: loaded.name,
    bindingName: loaded.triggerBindingName,
    connection: eventHubConnection(connection, eventHubName, settings),
    consumerGroup,
    cardinality: oneOf(binding, 'cardinality', ['one', 'many']) ?? 'one',
    dataType: oneOf(binding, 'dataType', ['binary', 'string']),
    retry: loaded.retryOptions && parseRetry(loaded.retryOptions),
  };
}

/** Names of values are read in any case, as the host reads them. */
function oneOf<T extends string>(
  binding: Readonly<Record<string, unknown>>,
  option: string,
  values: readonly T[],
): T | undefined {
  const value = binding[option];
  if (value === undefined || value === '') return undefined;
  const found = values.find((one) => one === String(value).toLowerCase());
  if (found === undefined) {
    const list = values.map((one) => `"${one}"`).join(' or ');
    throw new Error(`"${option}" must be ${list}, not ${JSON.stringify(value)}`);
  }
  return found;
}
