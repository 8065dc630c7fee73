/** Brings the configurations of a hub to those of a backup. */

import { configurationDifferences } from '../configurationsFile/configurationDifferences.ts';
import { safeError } from '../redact.ts';
import { type Configuration, type ConfigurationInput, HubError, type RegistryClient } from '../registry/index.ts';
import type { ConfigurationChange } from './configurationChanges.ts';
import { extrasText } from './extrasTexts.ts';
import {
  failed,
  type ItemName,
  type ItemOutcome,
  outcomeOf,
  type WorkLimits,
  type WorkStep,
  workThrough,
} from './hubWork.ts';

type Replacement = Extract<ConfigurationChange, { readonly live: Configuration; readonly wanted: ConfigurationInput }>;

/**
 * Makes the changes, one configuration an item, of mostly one operation on configurations (a replacement: two), of which
 * hubs take 20 a minute. Safe to repeat from any position: what an earlier step did although it failed is recognised.
 * What deleted configurations have set on devices stays set.
 *
 * @param changes those that are wanted of `compareConfigurations`
 */
export async function applyConfigurations(
  hub: RegistryClient,
  changes: AsyncIterable<ConfigurationChange> | Iterable<ConfigurationChange>,
  position: number,
  limits: WorkLimits,
): Promise<WorkStep<ItemOutcome>> {
  return workThrough(changes, position, limits, async (change) => {
    const item: ItemName = { what: 'configuration', id: change.id };
    return [await outcomeOf(item, () => make(hub, item, change))];
  });
}

async function make(hub: RegistryClient, item: ItemName, change: ConfigurationChange): Promise<ItemOutcome> {
  switch (change.change) {
    case 'unchanged':
      return { ...item, outcome: 'unchanged' };
    case 'create':
      return create(hub, item, change.wanted);
    case 'delete':
      return remove(hub, item, change.live);
    case 'update':
      return update(hub, item, change);
    case 'replace':
      return replace(hub, item, change);
  }
}

async function create(hub: RegistryClient, item: ItemName, wanted: ConfigurationInput): Promise<ItemOutcome> {
  try {
    return asWritten(item, wanted, await hub.createConfiguration(wanted));
  } catch (error) {
    return unlessDone(hub, item, wanted, error, 'conflict');
  }
}

async function update(hub: RegistryClient, item: ItemName, { wanted, live }: Replacement): Promise<ItemOutcome> {
  try {
    const written = await hub.updateConfiguration({ ...wanted, etag: live.etag }, { onlyIfUnchanged: true });
    return asWritten(item, wanted, written);
  } catch (error) {
    if (error instanceof HubError && error.kind === 'notFound') return create(hub, item, wanted);
    return unlessDone(hub, item, wanted, error, 'preconditionFailed');
  }
}

async function remove(hub: RegistryClient, item: ItemName, live: Configuration): Promise<ItemOutcome> {
  try {
    await hub.deleteConfiguration(live, { onlyIfUnchanged: true });
    return { ...item, outcome: 'succeeded' };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (error.kind === 'notFound') return { ...item, outcome: 'unchanged' };
    if (error.kind === 'preconditionFailed') return failed(item, extrasText('configurationChanged'));
    throw error;
  }
}

async function replace(hub: RegistryClient, item: ItemName, { wanted, live }: Replacement): Promise<ItemOutcome> {
  try {
    await hub.deleteConfiguration(live, { onlyIfUnchanged: true });
  } catch (error) {
    // An earlier step may have deleted it, and created it again.
    if (!(error instanceof HubError && error.kind === 'notFound')) {
      return unlessDone(hub, item, wanted, error, 'preconditionFailed');
    }
  }
  try {
    return await create(hub, item, wanted);
  } catch (error) {
    if (!(error instanceof HubError) || error.retryable) throw error;
    return putBack(hub, item, live, error);
  }
}

/** A configuration that the hub deleted, and does not take with its new content, returns as it was. */
async function putBack(
  hub: RegistryClient,
  item: ItemName,
  live: Configuration,
  { message }: HubError,
): Promise<ItemOutcome> {
  try {
    await hub.createConfiguration(withoutEtag(live));
  } catch (error) {
    if (error instanceof HubError && error.retryable) throw error;
    const why = `${message} ${safeError(error).message}`;
    return failed(item, extrasText('configurationLost', { error: why }));
  }
  return failed(item, extrasText('configurationPutBack', { error: message }));
}

function withoutEtag({ etag: _etag, ...configuration }: Configuration): ConfigurationInput {
  return configuration;
}

/** A hub says that it has written what it silently left as it was. */
function asWritten(item: ItemName, wanted: ConfigurationInput, written: Configuration): ItemOutcome {
  const fields = configurationDifferences(wanted, written);
  if (fields.length === 0) return { ...item, outcome: 'succeeded' };
  return failed(item, extrasText('contentKept', { fields: fields.join(', ') }));
}

/** Whether a write was refused because it was done already, by an earlier step whose reply was lost. */
async function unlessDone(
  hub: RegistryClient,
  item: ItemName,
  wanted: ConfigurationInput,
  error: unknown,
  kind: HubError['kind'],
): Promise<ItemOutcome> {
  if (!(error instanceof HubError && error.kind === kind)) throw error;
  const now = await hub.getConfiguration(wanted.id);
  const isDone = now !== undefined && configurationDifferences(wanted, now).length === 0;
  return isDone ? { ...item, outcome: 'succeeded' } : failed(item, extrasText('configurationChanged'));
}
