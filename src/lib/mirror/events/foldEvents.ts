/** Events of a hub, folded into the rows that they change: one write a row, however many events it has. */

import { mergeEvent } from '../rows/mergeEvent.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { keyOf, keyText } from '../rows/row.ts';
import type { KeyToRead, MirrorStore, RowWrite } from '../store/mirrorStore.ts';

export interface FoldOptions {
  /** Whether rows are read as they are stored, and not as they are remembered or supposed. */
  readonly fresh: boolean;
  readonly nowIso: string;
}

/** Rows as they were read, and as the events leave them, by `keyText`. */
export async function foldEvents(
  store: MirrorStore,
  hub: string,
  events: readonly MirrorEvent[],
  { fresh, nowIso }: FoldOptions,
): Promise<ReadonlyMap<string, RowWrite>> {
  const keys = new Map<string, KeyToRead>();
  for (const event of events) {
    const text = keyText(event);
    // There is no row of most identities that are created: that one is there, its write tells.
    if (!keys.has(text)) keys.set(text, { ...keyOf(event), ...(event.kind === 'created' ? { likelyNew: true } : {}) });
  }
  const stored = await store.read(hub, [...keys.values()], fresh ? { fresh } : {});
  const rows = new Map<string, RowWrite>();
  [...keys].forEach(([text, key], at) => {
    rows.set(text, { key: keyOf(key), before: stored[at], row: stored[at]?.row });
  });
  for (const event of events) {
    const text = keyText(event);
    const write = rows.get(text);
    const row = mergeEvent(write?.row, event, nowIso);
    if (write !== undefined && row !== undefined) rows.set(text, { ...write, row });
  }
  return rows;
}

export function isChanged({ before, row }: RowWrite): boolean {
  return row !== before?.row;
}
