/**
 * Parents of devices as lines name them: by device id (`parent`), or by the scopes that exports have. A hub makes the
 * scope of an edge device when it makes the device, `ms-azure-iot-edge://<device id>-<ticks>`; children refer to it (IoT
 * Edge docs, "Connect downstream IoT Edge devices"). So a scope says nothing to another hub, and nobody can know that of
 * a device that does not exist yet; but its text holds the device id of the parent.
 */

const SCOPE_PREFIX = 'ms-azure-iot-edge://';
/** A leaf that was made an edge device later has a scope without ticks (seen on a live hub). */
const MADE_BY_HUB = /^ms-azure-iot-edge:\/\/(.+)-[0-9]*$/s;

/** Device id of the edge device whose scope this is; undefined for what no hub makes. */
export function deviceOfScope(scope: string): string | undefined {
  return scope.startsWith(SCOPE_PREFIX) ? MADE_BY_HUB.exec(scope)?.[1] : undefined;
}

/** What a line says of the parent of its device. */
export type NamedParent =
  | {
      /** A device id; null: it is to have none; undefined: nothing is said, so it keeps what it has. */
      readonly parent: string | null | undefined;
      readonly problem?: undefined;
    }
  | {
      readonly problem: 'differ' | 'itself' | 'unreadable';
      /** The field that has it. */
      readonly path: ParentPath;
    };

export type ParentPath = 'parent' | 'deviceScope' | 'parentScopes';

export interface ParentFields {
  readonly id: string;
  /** Undefined if the line has no such key. */
  readonly parent: string | null | undefined;
  readonly deviceScope: string | undefined;
  readonly parentScopes: readonly string[];
}

/**
 * The parent that a line names. The scope of a leaf is that of its parent, the scope of an edge device is its own, and
 * its parent is in `parentScopes`: whatever names the device itself in `deviceScope` names no parent, and whatever names
 * another device names its parent.
 */
export function namedParent(fields: ParentFields): NamedParent {
  const { id, parent, deviceScope, parentScopes } = fields;
  let named: { readonly parent: string | null; readonly path: ParentPath } | undefined;
  if (parent !== undefined) named = { parent, path: 'parent' };
  let unreadable: ParentPath | undefined;
  let differ = false;
  const add = (scope: string, path: 'deviceScope' | 'parentScopes'): void => {
    const device = deviceOfScope(scope);
    if (device === undefined) unreadable ??= path;
    else if (path === 'deviceScope' && device === id) return;
    else if (named === undefined) named = { parent: device, path };
    else if (named.parent !== device) differ = true;
  };
  if (deviceScope !== undefined) add(deviceScope, 'deviceScope');
  for (const scope of parentScopes) add(scope, 'parentScopes');

  if (differ || (parent !== undefined && unreadable !== undefined)) return { problem: 'differ', path: 'parent' };
  if (unreadable !== undefined) return { problem: 'unreadable', path: unreadable };
  if (named?.parent === id) return { problem: 'itself', path: named.path };
  return { parent: named?.parent };
}
