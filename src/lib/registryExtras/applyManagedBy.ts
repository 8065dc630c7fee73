/** Sets who manages modules, which no import does: by a PUT of the identity with the keys that it has. */

import { HubError, type Module, type RegistryClient } from '../registry/index.ts';
import type { ModuleExtra } from './extraLine.ts';
import { extrasText } from './extrasTexts.ts';
import {
  failed,
  type ItemName,
  type ItemOutcome,
  outcomeOf,
  refusalOf,
  type WorkLimits,
  type WorkStep,
  workThrough,
} from './hubWork.ts';

/** Reads of a module that others write between the read and the write. */
const TRIES = 3;

/**
 * Sets `managedBy`, one module an item, of at most two operations of the registry. Null clears it: whoever restores into
 * modules that were just made leaves those out, and saves their calls.
 */
export async function applyManagedBy(
  hub: RegistryClient,
  extras: AsyncIterable<ModuleExtra> | Iterable<ModuleExtra>,
  position: number,
  limits: WorkLimits,
): Promise<WorkStep<ItemOutcome>> {
  return workThrough(extras, position, limits, async (extra) => {
    const item: ItemName = { what: 'managedBy', id: extra.id, moduleId: extra.moduleId };
    return [await outcomeOf(item, () => setManagedBy(hub, item, extra))];
  });
}

async function setManagedBy(
  hub: RegistryClient,
  item: ItemName,
  { id, moduleId, managedBy }: ModuleExtra,
): Promise<ItemOutcome> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const module = await readModule(hub, id, moduleId);
    if (module === 'disabled') return failed(item, extrasText('deviceDisabled'));
    if (module === undefined) return failed(item, extrasText('moduleNotFound'));
    if ((module.managedBy ?? null) === managedBy) return { ...item, outcome: 'unchanged' };
    // A hub gives keys to a module without, and to one that is written without them.
    if (module.authentication?.type === 'none') return failed(item, extrasText('madeByDeployment'));
    if (!hasCredentials(module)) return failed(item, extrasText('keysNotShown'));
    const { managedBy: _before, ...others } = module;
    try {
      await hub.updateModule({ ...others, ...(managedBy === null ? {} : { managedBy }) }, { onlyIfUnchanged: true });
      return { ...item, outcome: 'succeeded' };
    } catch (error) {
      if (!(error instanceof HubError && error.kind === 'preconditionFailed')) throw error;
    }
  }
  return failed(item, extrasText('moduleChanged'));
}

async function readModule(hub: RegistryClient, id: string, moduleId: string): Promise<Module | 'disabled' | undefined> {
  try {
    return await hub.getModule(id, moduleId);
  } catch (error) {
    const refusal = await refusalOf(hub, id, error);
    if (refusal === undefined) throw error;
    return refusal === 'disabled' ? 'disabled' : undefined;
  }
}

function hasCredentials({ authentication }: Module): boolean {
  return authentication !== undefined && (authentication.type !== 'sas' || authentication.symmetricKey !== undefined);
}
