import { withChange } from './changes.ts';
import type { MirrorRow, RowChange } from './row.ts';
import { satisfied } from './wanting.ts';

/** What is left of a row whose identity is gone. */
export function tombstone(row: MirrorRow, nowIso: string, { at, by }: Pick<RowChange, 'at' | 'by'>): MirrorRow {
  const { identity: _identity, twin: _twin, ...rest } = satisfied(row);
  const what = row.state === 'deleted' ? [] : ['deleted'];
  return { ...rest, state: 'deleted', deletedAt: nowIso, changes: withChange(row.changes, { at, by, what }) };
}
