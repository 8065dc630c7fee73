/** What readings of the registry make of rows, and of rows that hang on them. */

import { safeError } from '../../redact.ts';
import { mergeReading, type Reading } from '../rows/mergeReading.ts';
import { keyOf, keyText, type MirrorRow } from '../rows/row.ts';
import type { RowWrite, StoredRow } from '../store/mirrorStore.ts';
import type { GetReading, QueryReading } from './readings.ts';
import { DAMAGED, readDeviceRows, readRows } from './readRows.ts';
import type { RefreshContext } from './refreshContext.ts';
import { postponed, readInVain, unsureGone, wantedBy } from './wants.ts';

/** How, and when, a reading was begun. */
export interface ReadingTerms {
  readonly hub: string;
  readonly by: 'query' | 'get';
  readonly begunAt: string;
}

/** The modules that a hub makes with an edge device, and takes away with it. */
export const SYSTEM_MODULES = ['$edgeAgent', '$edgeHub'];
/** What is wrong with a row or an identity for good is looked at again after this long; a reconcile may put it right before. */
export const LONG_MINUTES = 60;

/** Writes of which the first have to be done when the others are: nobody else would know of them. */
export interface Consequences {
  readonly first: readonly RowWrite[];
  readonly last: readonly RowWrite[];
}

/** Rows that a query may tell of: those that wait for it, and those that are known to the store. */
export interface QueriedRows {
  readonly waiting: readonly StoredRow[];
  /** Of a query that shows all modules of devices: what it shows beside these is new. */
  readonly known?: readonly StoredRow[];
}

/** What follows from a query. */
export async function writesOfQuery(
  context: RefreshContext,
  { waiting, known }: QueriedRows,
  { found, complete }: QueryReading,
  terms: ReadingTerms,
): Promise<Consequences> {
  const writes: RowWrite[] = [];
  for (const stored of waiting) {
    const reading = found.get(keyText(stored.row))?.reading ?? (complete ? 'absent' : undefined);
    if (reading !== undefined) writes.push(merged(context, stored, reading, terms));
  }
  const first = await systemModules(context, writes, terms);
  return { first, last: known === undefined ? writes : [...writes, ...discovered(context, found, known, terms)] };
}

/** What follows from reading one identity. */
export async function writesOfGet(
  context: RefreshContext,
  stored: StoredRow,
  reading: GetReading,
  terms: ReadingTerms,
): Promise<Consequences> {
  const { row } = stored;
  const put = (after: MirrorRow): RowWrite => ({ key: keyOf(row), before: stored, row: after });
  if (reading === 'unreadable') return { first: [], last: [put(postponed(row, context.now(), LONG_MINUTES))] };
  if (reading === 'noTwin') return { first: [], last: [put(readInVain(row, context.now()))] };
  const write = merged(context, stored, reading, terms);
  const isGone = row.moduleId === undefined && write.row?.state === 'deleted' && write.row.wanted === undefined;
  const first = isGone ? await modulesGone(context, row.deviceId, terms) : await systemModules(context, [write], terms);
  return { first, last: [write] };
}

function merged({ now, log }: RefreshContext, before: StoredRow, reading: Reading, terms: ReadingTerms): RowWrite {
  const { row } = before;
  const key = keyOf(row);
  const at = now();
  try {
    const after = mergeReading(row, reading, { ...terms, ...key, nowIso: at.toISOString() });
    if (after === 'again') return { key, before, row: readInVain(row, at) };
    if (after === undefined) return { key, before, row: undefined };
    return { key, before, row: reading === 'absent' ? unsureGone(row, after, at) : after };
  } catch (error) {
    // What is wrong with one row is no reason to leave the others.
    log.log('error', `${keyText(key)} of the hub ${terms.hub} cannot be refreshed: ${safeError(error).message}`);
    return { key, before, row: postponed(row, at, LONG_MINUTES) };
  }
}

/** Modules that the store has never heard of. */
function discovered(
  { now }: RefreshContext,
  found: QueryReading['found'],
  known: readonly StoredRow[],
  terms: ReadingTerms,
): RowWrite[] {
  const names = new Set(known.map(({ row }) => keyText(row)));
  const nowIso = now().toISOString();
  return [...found].flatMap(([name, { reading, ...key }]) => {
    const row = names.has(name) ? undefined : mergeReading(undefined, reading, { ...terms, ...key, nowIso });
    return row === undefined || row === 'again' ? [] : [{ key, row }];
  });
}

/** A device that was found to be an edge device, or to be none any more, has got or lost modules that no event need tell. */
async function systemModules(
  context: RefreshContext,
  writes: readonly RowWrite[],
  { hub }: ReadingTerms,
): Promise<RowWrite[]> {
  const turned = writes.filter(({ key, row, before }) => {
    const isRead = key.moduleId === undefined && row?.state === 'present' && row.wanted === undefined;
    return isRead && isEdge(row) !== isEdge(before?.row);
  });
  if (turned.length === 0) return [];
  const keys = turned.flatMap(({ key: { deviceId } }) => SYSTEM_MODULES.map((moduleId) => ({ deviceId, moduleId })));
  const stored = await readRows(context, hub, keys);
  const at = context.now();
  return keys.flatMap((key, index) => {
    const before = stored[index];
    return before === DAMAGED ? [] : [{ key, before, row: wantedBy(hub, key, before?.row, LONG_DONE, at) }];
  });
}

const LONG_DONE = { doneAt: new Date(0) };

function isEdge(row: MirrorRow | undefined): boolean {
  return row?.identity?.edge === true;
}

/** Modules go with their device. */
async function modulesGone(context: RefreshContext, deviceId: string, terms: ReadingTerms): Promise<RowWrite[]> {
  const rows = await readDeviceRows(context, terms.hub, deviceId);
  if (rows === DAMAGED) return [];
  return rows
    .filter(({ row }) => row.moduleId !== undefined && (row.state !== 'deleted' || row.wanted !== undefined))
    .map((stored) => merged(context, stored, 'absent', terms));
}
