/** Scopes that an import must repeat, so that an update does not take a device from its parent. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { deviceOfScope } from '../devicesFile/edgeParents.ts';
import { createIdentityTable, hashIdentity } from '../devicesFile/identityTable.ts';
import { readLineBatches } from '../storage/readLines.ts';

export interface ScopedDevice {
  readonly id: string;
  readonly capabilities?: { readonly iotEdge?: boolean | null } | null;
  readonly deviceScope?: string | null;
  readonly parentScopes?: readonly string[] | null;
}

export type Scopes = Pick<ScopedDevice, 'deviceScope' | 'parentScopes'>;

/**
 * The scopes that a line needs besides its own, given its device as it is in the registry.
 *
 * An update replaces the identity as a whole: an edge device must repeat its own scope, and whoever leaves out the scope
 * of the parent loses the parent. A line says by `parent: null` that this is what it wants. Another parent is set when all
 * devices are there; until then the device keeps the one that it has.
 */
export function scopesToKeep(line: ScopedDevice, before: ScopedDevice, parent: string | null | undefined): Scopes {
  const isEdge = line.capabilities?.iotEdge === true;
  const wasEdge = before.capabilities?.iotEdge === true;
  const own = isEdge && wasEdge ? given(before.deviceScope) : undefined;
  const writtenScope = given(line.deviceScope);
  // Scopes of a form that hubs do not make go to the hub as the line has them; its own may be of another hub.
  if (writtenScope !== undefined && deviceOfScope(writtenScope) !== line.id) return {};
  const ownScope = own === undefined ? {} : { deviceScope: own };
  const [written] = line.parentScopes ?? [];
  if (parent === null || given(written) !== undefined) return ownScope;

  // The scope of a leaf's parent is its deviceScope; one that was an edge device has it in parentScopes alone.
  const current = given(before.parentScopes?.[0]) ?? (wasEdge ? undefined : given(before.deviceScope));
  if (current === undefined) return ownScope;
  return isEdge ? { ...ownScope, parentScopes: [current] } : { deviceScope: current, parentScopes: [current] };
}

function given(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text;
}

/** Which devices of a pre-image have a scope; undefined if none has. May name others too: it knows hashes only. */
export async function findScoped(preImage: BlockBlobClient): Promise<((id: string) => boolean) | undefined> {
  const table = createIdentityTable(hashIdentity, 0);
  let found = false;
  for await (const batch of readLineBatches(preImage)) {
    for (const text of batch) {
      // Parsing is for the few lines in which the word occurs at all.
      if (!text.startsWith('{') || !/"(?:device|parent)Scopes?":\s*\[?\s*"/.test(text)) continue;
      const { id, moduleId } = JSON.parse(text) as { readonly id: string; readonly moduleId?: string | null };
      if (moduleId !== undefined && moduleId !== null) continue;
      found = true;
      table.claim(id, 1);
    }
  }
  return found ? (id) => table.find(id) !== 0 : undefined;
}
