import { namedParent } from '../devicesFile/edgeParents.ts';
import { ownScopeOf } from '../registryLines/goesWith.ts';

interface ParentLine {
  readonly id: string;
  readonly parent?: string | null;
  readonly deviceScope?: string | null;
  readonly parentScopes?: readonly string[] | null;
}

/** The device id of the parent that a line of a registry has. */
export function parentIn(text: string): string | undefined {
  // Parsing is for the few lines in which the words occur at all.
  if (!/"(?:deviceScope|parentScopes|parent)"/.test(text)) return undefined;
  const { id, parent, deviceScope, parentScopes } = JSON.parse(text) as ParentLine;
  const named = namedParent({
    id,
    parent: parent ?? undefined,
    deviceScope: deviceScope === null || deviceScope === '' ? undefined : deviceScope,
    parentScopes: (parentScopes ?? []).filter((scope) => scope !== ''),
  });
  return named.problem === undefined ? (named.parent ?? undefined) : undefined;
}

/** The scope by which a device of a registry is linked to its parent. */
export function parentScopeIn(text: string): string | undefined {
  if (!/"(?:deviceScope|parentScopes)"/.test(text)) return undefined;
  const line = JSON.parse(text) as ParentLine;
  const scope = ownScopeOf({ ...line }) === undefined ? line.deviceScope : line.parentScopes?.[0];
  return scope === null || scope === '' ? undefined : scope;
}
