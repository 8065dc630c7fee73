import { type Fields, type MirrorRow, UNKNOWN_VERSION } from '../rows/row.ts';
import { edgeOf } from './rowQuery.ts';

/** A row as scripts see it; `null`: it is not known, or there is none. */
export interface RowView {
  readonly hub: string;
  readonly deviceId: string;
  /** Of a module only. */
  readonly moduleId?: string;
  readonly status: 'enabled' | 'disabled' | null;
  readonly statusReason: string | null;
  readonly edge: boolean | null;
  /** Id of the edge device that it is below. */
  readonly parent: string | null;
  readonly authenticationType: string | null;
  readonly tags: Fields;
  readonly properties: { readonly desired: Fields };
  /** Of the twin; an export does not tell it. */
  readonly version: number | null;
  /** When the row last changed, ISO UTC. */
  readonly updatedAt: string;
  /** When the registry was last asked for it, ISO UTC. */
  readonly checkedAt: string | null;
}

/**
 * When the registry was last asked for a row. A reconcile asks for all of them and writes nothing of those that are as the hub
 * is: it has seen each row that is older than its beginning.
 */
function lastChecked({ checkedAt, updatedAt }: MirrorRow, reconciledAt: string | undefined): string | null {
  if (reconciledAt === undefined || updatedAt >= reconciledAt) return checkedAt ?? null;
  return checkedAt !== undefined && checkedAt > reconciledAt ? checkedAt : reconciledAt;
}

/** @param reconciledAt when the last reconcile of its hub began, ISO UTC; undefined: there was none */
export function rowView(row: MirrorRow, reconciledAt: string | undefined): RowView {
  const { hub, deviceId, moduleId, identity = {}, twin } = row;
  return {
    hub,
    deviceId,
    ...(moduleId === undefined ? {} : { moduleId }),
    status: identity.status ?? null,
    statusReason: identity.statusReason ?? null,
    edge: edgeOf(row) ?? null,
    parent: identity.parent ?? null,
    authenticationType: identity.authenticationType ?? null,
    tags: twin?.tags ?? {},
    properties: { desired: twin?.desired ?? {} },
    version: twin === undefined || twin.version === UNKNOWN_VERSION ? null : twin.version,
    updatedAt: row.updatedAt,
    checkedAt: lastChecked(row, reconciledAt),
  };
}
