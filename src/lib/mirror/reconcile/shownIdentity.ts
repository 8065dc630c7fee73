/** An identity as a line of an export or of a backup shows it, without its keys. */

import { namedParent } from '../../devicesFile/edgeParents.ts';
import { HUB_KEYS } from '../../devicesFile/lineText.ts';
import type { ParentScopes } from '../../registryExtras/parentScopes.ts';
import { type ComparedLine, comparedLine } from '../../registryLines/comparedLine.ts';
import { isObject } from '../../registryLines/differences.ts';
import { isModuleLine } from '../../registryLines/snapshot.ts';
import type { Fields, IdentityKey } from '../rows/row.ts';

/**
 * What is undefined is not told, and says nothing of a row; null: it is told that there is none.
 *
 * A hub tells neither status nor parent of a module, no type of authentication in an export without keys, and nothing of
 * twins in a tier that has none.
 */
export interface ShownIdentity extends IdentityKey {
  readonly status?: 'enabled' | 'disabled' | undefined;
  readonly statusReason?: string | null | undefined;
  readonly edge?: boolean | undefined;
  readonly parent?: string | null | undefined;
  readonly authenticationType?: string | undefined;
  readonly tags?: Fields | undefined;
  readonly desired?: Fields | undefined;
  /** Exports have them (seen on a live hub), and no document says that they do. */
  readonly reported?: Fields | undefined;
}

/**
 * @param text a line that was verified
 * @param parents scopes of the parents of edge devices, for lines that do not tell them; absent: nothing does
 */
export function shownIdentity(text: string, parents?: ParentScopes): ShownIdentity {
  const fields = JSON.parse(text) as Fields & { readonly id: string; readonly moduleId?: string | null };
  const { id, moduleId } = fields;
  const authentication = isObject(fields['authentication']) ? fields['authentication'] : {};
  const properties = isObject(fields['properties']) ? fields['properties'] : {};
  return {
    deviceId: id,
    ...(isModuleLine(fields) ? { moduleId: String(moduleId) } : deviceFields(fields, comparedLine(fields), parents)),
    authenticationType: textOf(authentication['type']),
    tags: sectionOf(fields['tags']),
    desired: sectionOf(properties['desired']),
    reported: sectionOf(properties['reported']),
  };
}

function deviceFields(
  fields: Fields & { readonly id: string },
  { status, statusReason, capabilities }: ComparedLine,
  parents: ParentScopes | undefined,
) {
  const edge = isObject(capabilities) && capabilities['iotEdge'] === true;
  return {
    status: status === 'disabled' ? ('disabled' as const) : ('enabled' as const),
    statusReason: textOf(statusReason) ?? null,
    edge,
    parent: parentOf(fields, edge, parents),
  };
}

function parentOf(
  { id, deviceScope, parentScopes }: Fields & { readonly id: string },
  edge: boolean,
  parents: ParentScopes | undefined,
): string | null | undefined {
  const lacks = edge && parentScopes === undefined;
  if (lacks && parents === undefined) return undefined;
  const scopes = lacks ? parents?.get(id) : parentScopes;
  const named = namedParent({
    id,
    parent: undefined,
    deviceScope: textOf(deviceScope),
    parentScopes: Array.isArray(scopes) ? scopes.filter((scope) => textOf(scope) !== undefined) : [],
  });
  // Of a scope that no hub makes nobody can tell whose it is.
  return named.problem === undefined ? (named.parent ?? null) : undefined;
}

/** A section of a twin; one that is null holds nothing. */
function sectionOf(value: unknown): Fields | undefined {
  if (value === null) return {};
  if (!isObject(value)) return undefined;
  if (!HUB_KEYS.some((key) => Object.hasOwn(value, key))) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !HUB_KEYS.includes(key)));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
