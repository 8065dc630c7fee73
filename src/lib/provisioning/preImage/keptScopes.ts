/** Scopes that an import must repeat, so that an update does not take a device from its parent. */

import type { BlockBlobClient } from '@azure/storage-blob';
import { defined } from '../../defined.ts';
import { deviceOfScope } from '../../devicesFile/edgeParents.ts';
import { createIdentityTable } from '../../devicesFile/identityTable.ts';
import { importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { isModuleLine, type SnapshotLines } from '../../registryLines/snapshot.ts';
import { rowsOf } from '../../storage/ndjson.ts';

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
 * devices are there; until then the device keeps the one that it has. A hub takes no scope whose edge device is gone.
 *
 * @param isGone whether the edge device of a scope is gone, or goes with the same file
 */
export function scopesToKeep(
  line: ScopedDevice,
  before: ScopedDevice,
  parent: string | null | undefined,
  isGone: (scope: string) => boolean = () => false,
): Scopes {
  const isEdge = line.capabilities?.iotEdge === true;
  const wasEdge = before.capabilities?.iotEdge === true;
  const own = isEdge && wasEdge ? given(before.deviceScope) : undefined;
  const writtenScope = given(line.deviceScope);
  // Scopes of a form that hubs do not make go to the hub as the line has them; its own may be of another hub.
  if (writtenScope !== undefined && deviceOfScope(writtenScope) !== line.id) return {};
  const ownScope = defined({ deviceScope: own });
  const [written] = line.parentScopes ?? [];
  if (parent === null || given(written) !== undefined) return ownScope;

  // The scope of a leaf's parent is its deviceScope; one that was an edge device has it in parentScopes alone.
  const current = given(before.parentScopes?.[0]) ?? (wasEdge ? undefined : given(before.deviceScope));
  if (current === undefined || isGone(current)) return ownScope;
  return isEdge ? { ...ownScope, parentScopes: [current] } : { deviceScope: current, parentScopes: [current] };
}

function given(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text;
}

/** Which devices of a pre-image have a scope, and whose scopes these are. */
export interface ScopesBefore {
  hasScope(id: string): boolean;
  /** Scopes of parents. */
  readonly ofParents: ReadonlySet<string>;
  /** Of these, scopes that an edge device of the pre-image has. */
  readonly owned: ReadonlySet<string>;
}

/** The scopes of a pre-image; undefined if it has none. */
export async function findScoped(preImage: SnapshotLines): Promise<ScopesBefore | undefined> {
  const table = createIdentityTable();
  const ofParents = new Set<string>();
  const own = new Set<string>();
  let found = false;
  for await (const text of preImage.lines()) {
    // Parsing is for the few lines in which the word occurs at all.
    if (!/"(?:device|parent)Scopes?":\s*\[?\s*"/.test(text)) continue;
    const device = JSON.parse(text) as ScopedDevice & { readonly moduleId?: string | null };
    if (isModuleLine(device)) continue;
    found = true;
    table.claim(device.id, 1);
    const scope = given(device.deviceScope);
    if (scope !== undefined) (device.capabilities?.iotEdge === true ? own : ofParents).add(scope);
    const above = given(device.parentScopes?.[0]);
    if (above !== undefined) ofParents.add(above);
  }
  if (!found) return undefined;
  return {
    hasScope: (id) => table.find(id) !== 0,
    ofParents,
    owned: new Set([...ofParents].filter((scope) => own.has(scope))),
  };
}

/**
 * The scopes of parents whose edge device is gone, or goes with the file: it is deleted, or is no edge device any more.
 *
 * @param lines the file
 * @param isThere whether the hub has the edge device of a scope that the pre-image does not have; undefined: the pre-image
 * is the whole registry
 */
export async function findGone(
  { ofParents, owned }: ScopesBefore,
  lines: BlockBlobClient,
  isThere: ((scope: string, id: string) => Promise<boolean>) | undefined,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  const scopesOf = new Map<string, string[]>();
  for (const scope of ofParents) {
    const id = deviceOfScope(scope);
    if (id === undefined) continue;
    scopesOf.set(id, [...(scopesOf.get(id) ?? []), scope]);
    if (!owned.has(scope) && (isThere === undefined || !(await isThere(scope, id)))) gone.add(scope);
  }
  if (scopesOf.size === 0) return gone;
  for await (const line of rowsOf<ScopedDevice & { readonly importMode?: string; readonly moduleId?: string | null }>(
    lines,
  )) {
    const scopes = scopesOf.get(line.id);
    if (scopes === undefined || isModuleLine(line)) continue;
    const { deletes, mayOverwrite } = MODE_RULES[importModeOf(line)];
    const isLeaf = mayOverwrite && line.capabilities?.iotEdge === false;
    if (deletes || isLeaf) for (const scope of scopes) gone.add(scope);
  }
  return gone;
}
