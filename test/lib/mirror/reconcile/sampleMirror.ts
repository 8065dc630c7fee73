import type { JudgeTerms } from '../../../../src/lib/mirror/reconcile/judge.ts';
import type { ShownIdentity } from '../../../../src/lib/mirror/reconcile/shownIdentity.ts';
import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';

export const BEFORE = '2026-11-26T09:00:00.000Z';
export const BEGUN = '2026-11-26T10:00:00.000Z';
export const AFTER = '2026-11-26T10:05:00.000Z';
export const TERMS: JudgeTerms = { hub: 'a', begunAt: BEGUN, nowIso: '2026-11-26T10:10:00.000Z' };

/** A row that is older than the snapshot. */
export function rowOf(more: Partial<MirrorRow> = {}): MirrorRow {
  return {
    hub: 'a',
    deviceId: 'd',
    state: 'present',
    identity: { status: 'enabled', edge: false, authenticationType: 'sas' },
    twin: { tags: { site: 'faro' }, desired: { t: 1 }, reported: {}, version: 5 },
    order: { at: '2026-11-26T08:59:59.0000000Z', partition: 'EVENTS/0', sequence: 7 },
    updatedAt: BEFORE,
    changes: [],
    ...more,
  };
}

/** What a snapshot shows of the same device. */
export function shownOf(more: Partial<ShownIdentity> = {}): ShownIdentity {
  return {
    deviceId: 'd',
    status: 'enabled',
    statusReason: null,
    edge: false,
    parent: null,
    tags: { site: 'faro' },
    desired: { t: 1 },
    reported: {},
    ...more,
  };
}
