/** `GET /api/devices/{id}`: all that the mirror knows of one device. */

import { isHubId } from '../rows/hubId.ts';
import type { Fields, MirrorRow, RowChange } from '../rows/row.ts';
import type { QueryContext } from './listRows.ts';
import { queryError } from './queryTexts.ts';
import { type RowView, rowView } from './rowView.ts';

/** A device or a module of it, in full. */
export interface IdentityView extends RowView {
  /** `deleted`: since `deletedAt`; `unknown`: events speak of it, and the registry has not been asked yet. */
  readonly state: MirrorRow['state'];
  readonly properties: { readonly desired: Fields; readonly reported: Fields };
  /** When it was made, in its present life, if an event told it. */
  readonly bornAt: string | null;
  /** When it was found deleted. */
  readonly deletedAt: string | null;
  /** Since when the registry is to be asked for it; null: it is not. */
  readonly refreshWantedSince: string | null;
  /** Newest first, at most 20. */
  readonly changes: readonly RowChange[];
  /** Id of the last run that touched it. */
  readonly lastRun: string | null;
}

export interface DeviceView extends IdentityView {
  /** By id, those that are there or were deleted lately. */
  readonly modules: readonly IdentityView[];
}

/**
 * @param hub undefined: whichever hub has it
 * @throws MirrorQueryError `deviceUnknown`, `deviceInSeveral`
 */
export async function deviceView(
  { store, hubs, reconciledAt }: QueryContext,
  deviceId: string,
  hub: string | undefined,
): Promise<DeviceView> {
  const asked = !isHubId(deviceId) ? [] : hub === undefined ? hubs : [hub];
  const found = await Promise.all(asked.map((alias) => store.readDevice(alias, deviceId)));
  const known = found.filter((rows) => rows.length > 0).map((rows) => rows.map(({ row }) => row));
  // One that is there is meant rather than one that was deleted, as after a move to another hub.
  const present = known.filter((rows) => rows.some(({ state }) => state === 'present'));
  const candidates = present.length > 0 ? present : known;
  const [rows, other] = candidates;
  const id = deviceId.slice(0, 128);
  if (rows === undefined) throw queryError('deviceUnknown', { id });
  if (other !== undefined) {
    const names = candidates.map(([row]) => row?.hub ?? '').toSorted();
    throw queryError('deviceInSeveral', { id, hubs: names.join(', ') });
  }
  const device = rows.find(({ moduleId }) => moduleId === undefined) ?? unknownDevice(rows);
  const modules = rows.filter(({ moduleId }) => moduleId !== undefined);
  const at = await reconciledAt(device.hub);
  return { ...identityView(device, at), modules: modules.map((module) => identityView(module, at)) };
}

/** Events of a module may come before those of its device. */
function unknownDevice(modules: readonly MirrorRow[]): MirrorRow {
  const [{ hub = '', deviceId = '', updatedAt = '' } = {}] = modules;
  return { hub, deviceId, state: 'unknown', updatedAt, changes: [] };
}

function identityView(row: MirrorRow, reconciledAt: string | undefined): IdentityView {
  const { state, twin, bornAt = null, deletedAt = null, wanted, changes, lastRun = null } = row;
  const view = rowView(row, reconciledAt);
  return {
    ...view,
    state,
    properties: { ...view.properties, reported: twin?.reported ?? {} },
    bornAt,
    // Of a row that is there it is of an earlier life.
    deletedAt: state === 'deleted' ? deletedAt : null,
    refreshWantedSince: wanted?.since ?? null,
    changes,
    lastRun,
  };
}
