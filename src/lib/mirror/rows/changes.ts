import { MOST_CHANGES, MOST_FIELDS, type RowChange } from './row.ts';

/** The changes of a row with one more, newest first; nothing that changed is none. */
export function withChange(changes: readonly RowChange[], { at, by, what }: RowChange): readonly RowChange[] {
  if (what.length === 0) return changes;
  const named = what.length > MOST_FIELDS ? [...what.slice(0, MOST_FIELDS), '…'] : what;
  return [{ at, by, what: named }, ...changes].slice(0, MOST_CHANGES);
}
