/** What the mirror keeps of what a registry says. Keys are never looked at. */

import { defined } from '../../defined.ts';
import { deviceOfScope } from '../../devicesFile/edgeParents.ts';
import type { Twin } from '../../registry/index.ts';
import { type MirroredIdentity, type MirroredTwin, UNKNOWN_VERSION } from '../rows/row.ts';
import { withoutHubKeys } from '../rows/twinSections.ts';

/** As a device, a twin or a line of an export has them. */
export interface RegistryIdentity {
  readonly status?: string | undefined;
  readonly statusReason?: string | null | undefined;
  readonly capabilities?: { readonly iotEdge?: unknown } | null | undefined;
  readonly deviceScope?: string | null | undefined;
  readonly parentScopes?: readonly string[] | null | undefined;
  readonly authenticationType?: string | undefined;
}

/** Of a module nothing but how it proves who it is: it has neither a status nor a parent of its own. */
export function mirroredIdentity(
  { deviceId, moduleId }: { readonly deviceId: string; readonly moduleId?: string },
  found: RegistryIdentity,
): MirroredIdentity {
  const { authenticationType } = found;
  if (moduleId !== undefined) return defined({ authenticationType });
  const edge = found.capabilities?.iotEdge === true;
  return {
    edge,
    ...defined({
      status: statusOf(found.status),
      statusReason: found.statusReason || undefined,
      parent: parentOf(deviceId, edge, found),
      authenticationType,
    }),
  };
}

/** Clients of other languages write `Enabled`. */
function statusOf(status: string | undefined): 'enabled' | 'disabled' | undefined {
  const text = status?.toLowerCase();
  return text === 'enabled' || text === 'disabled' ? text : undefined;
}

/** The scope of a leaf is that of its parent; an edge device has one of its own, and its parent in `parentScopes`. */
function parentOf(
  deviceId: string,
  edge: boolean,
  { deviceScope, parentScopes }: Pick<RegistryIdentity, 'deviceScope' | 'parentScopes'>,
): string | undefined {
  const scope = (edge ? undefined : deviceScope) || parentScopes?.[0];
  const parent = scope ? deviceOfScope(scope) : undefined;
  return parent === deviceId ? undefined : parent;
}

export function mirroredTwin({
  version = UNKNOWN_VERSION,
  tags,
  properties,
}: Pick<Twin, 'version' | 'tags' | 'properties'>): MirroredTwin {
  return {
    version,
    tags,
    desired: withoutHubKeys(properties.desired),
    reported: withoutHubKeys(properties.reported),
  };
}
