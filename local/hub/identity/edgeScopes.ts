import { HubError } from '../http/hubError.ts';
import type { IdentityRow } from '../registry/identityRow.ts';
import type { IdentityStore } from '../registry/identityStore.ts';

const SCOPE_PREFIX = 'ms-azure-iot-edge://';

/** Edge devices may be nested this deep (https://learn.microsoft.com/azure/iot-edge/iot-edge-limits-and-restrictions). */
const MAX_NESTING = 5;

export interface ScopeInput {
  readonly deviceId: string;
  readonly iotEdge: boolean;
  readonly deviceScope: string | undefined;
  readonly parentScopes: readonly string[];
}

export type ScopeColumns = Pick<IdentityRow, 'deviceScope' | 'parentScopes'>;

/**
 * Scopes of a new device. An edge device gets its own from the hub, whatever the caller gave. A bulk call may give a leaf
 * a scope that no edge device owns (`anyScope`), and the hub keeps it.
 */
export function newScopes(
  store: IdentityStore,
  input: ScopeInput,
  generationId: string,
  anyScope: boolean,
): ScopeColumns {
  if (!input.iotEdge) return leafScopes(store, input, anyScope);
  const own = `${SCOPE_PREFIX}${input.deviceId}-${generationId}`;
  return { deviceScope: own, parentScopes: edgeParents(store, input.parentScopes, own) };
}

/**
 * Scopes of a device that is replaced, whoever replaces it: a request for one, a bulk request or an import job. The own
 * scope of an edge device never changes and must be repeated; a leaf is detached when the caller gives none. A leaf that becomes an edge device gets a scope without ticks, as on the live hub.
 */
export function changedScopes(store: IdentityStore, input: ScopeInput, row: IdentityRow): ScopeColumns {
  if (!input.iotEdge) return leafScopes(store, input);
  if (row.iotEdge === 0) {
    const own = `${SCOPE_PREFIX}${input.deviceId}-`;
    return { deviceScope: own, parentScopes: edgeParents(store, input.parentScopes, own) };
  }
  if (input.deviceScope !== row.deviceScope) {
    throw new HubError('InvalidDeviceScope', 'Device scope is immutable: an update must repeat it.');
  }
  return { deviceScope: row.deviceScope, parentScopes: edgeParents(store, input.parentScopes, row.deviceScope ?? '') };
}

/** A leaf is linked by `deviceScope` alone; `parentScopes` by itself is ignored, as on the live hub. */
function leafScopes(store: IdentityStore, input: ScopeInput, anyScope = false): ScopeColumns {
  if (input.deviceScope === undefined || input.deviceScope === '') return { deviceScope: null, parentScopes: null };
  if (!anyScope) demandParent(store, input.deviceScope);
  return { deviceScope: input.deviceScope, parentScopes: JSON.stringify([input.deviceScope]) };
}

function edgeParents(store: IdentityStore, parents: readonly string[], own: string): string | null {
  const [parentScope, ...more] = parents;
  if (parentScope === undefined) return null;
  if (more.length > 0) throw new HubError('InvalidDeviceScope', 'A device can have one parent scope only.');
  let levels = 0;
  for (let scope: string | undefined = parentScope; scope !== undefined; ) {
    levels += 1;
    if (scope === own) throw new HubError('InvalidDeviceScope', 'A device cannot be below itself.');
    if (levels > MAX_NESTING) throw new HubError('InvalidDeviceScope', `More than ${MAX_NESTING} levels of parents.`);
    const parent = demandParent(store, scope);
    scope = parent.parentScopes === null ? undefined : (JSON.parse(parent.parentScopes) as string[])[0];
  }
  return JSON.stringify([parentScope]);
}

function demandParent(store: IdentityStore, scope: string): IdentityRow {
  const parent = store.findEdgeByScope(scope);
  if (parent === undefined) throw new HubError('InvalidDeviceScope', `No edge device has the scope '${scope}'.`);
  return parent;
}
