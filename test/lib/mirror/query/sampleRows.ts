import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';

export const AT = '2026-11-26T10:00:00.000Z';

/** A row of a device that is there, enabled, with an empty twin; or of a module, which has no status. */
export function rowOf(deviceId: string, more: Partial<MirrorRow> = {}): MirrorRow {
  return {
    hub: 'a',
    deviceId,
    state: 'present',
    identity: more.moduleId === undefined ? { status: 'enabled', edge: false, authenticationType: 'sas' } : {},
    twin: { tags: {}, desired: {}, reported: {}, version: 2 },
    updatedAt: AT,
    checkedAt: AT,
    changes: [],
    ...more,
  };
}

/** The same with tags. */
export function tagged(deviceId: string, tags: Readonly<Record<string, unknown>>, more: Partial<MirrorRow> = {}) {
  return rowOf(deviceId, { twin: { tags, desired: {}, reported: {}, version: 2 }, ...more });
}
