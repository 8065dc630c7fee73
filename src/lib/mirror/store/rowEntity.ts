/**
 * A row as an entity of the table: its state and whether it is a module's, for filters, and three parts as JSON in UTF-8
 * bytes. `Twin` has the desired and reported properties, `Changes` the last changes, `Row` all else, with the tags. A property
 * holds 64 KiB: a part that is longer goes on in `Twin1`, `Twin2` and so on.
 *
 * The entity of a device has a mark from its first module on, and for good: so a device without it has no module, as long as
 * its ETag is the same. Where there is no row of the device, its entity is the mark alone.
 */

import type { Fields, IdentityKey, MirrorRow, RowChange } from '../rows/row.ts';
import { RowTooLarge, type StoredRow } from './mirrorStore.ts';
import { identityOf } from './rowKeys.ts';

/** A row of the table, and how it lies there. */
export interface TableRow extends StoredRow {
  /** `split`: a part needs several properties. `partial`: some parts were not read. */
  readonly lies: 'whole' | 'split' | 'partial';
}

/** That a device has, or had, modules: a member of its entity. */
export const MODULES_MARK = '"HasModules":true';

/** An entity as the client gives it. */
export type Entity = Readonly<Record<string, unknown>> & { readonly rowKey?: string; readonly etag?: string };

/** Properties of an entity as JSON members, without its keys, to be put between braces. */
export interface EncodedRow {
  readonly members: string;
  /** Whether it is all of the row; else what is not in it stays as it lies there. */
  readonly isAll: boolean;
  readonly lies: 'whole' | 'split';
}

interface EncodedPart {
  readonly part: Part;
  readonly bytes: Buffer;
}

const MOST_OF_PROPERTY = 64 * 1024;
/**
 * An entity has 1 MiB, and Azurite takes that of its JSON, in which bytes are a third longer. A twin is at most 8 KB of tags
 * and 32 KB each of desired and reported properties, which the escapes of JSON may make several times as long.
 */
const MOST_OF_ROW = 640 * 1024;

/** How many properties each part may have. */
const PARTS = { Row: 2, Twin: 8, Changes: 4 } as const;
type Part = keyof typeof PARTS;
const PART_NAMES = Object.keys(PARTS) as readonly Part[];

/** What is to be asked for, for a row without its properties and changes. `Timestamp`: Azure makes the ETag of it. */
export const PARTIAL_SELECT: readonly string[] = [
  'PartitionKey',
  'RowKey',
  'Timestamp',
  ...namesOf('Row'),
  'State',
  'HasModules',
];

/**
 * What is written of a row over `before`. A part whose objects are those of `before` is left out: it lies there already, for
 * the write holds only if the row is still that.
 *
 * @throws RowTooLarge
 */
export function encodeRow(key: IdentityKey, row: MirrorRow, before: StoredRow | undefined): EncodedRow {
  const lay = before === undefined ? undefined : ((before as Partial<TableRow>).lies ?? 'split');
  // A row that was split is written as a whole: pieces that it no longer needs are to go.
  const mustBeAll = lay === undefined || lay === 'split';
  if (lay === 'partial') throw new Error('What is written over a row that was read without its properties loses them.');
  const changed = encodedParts(row, (part) => mustBeAll || !isSame(part, row, before?.row));
  const isSplit = changed.some(({ bytes }) => bytes.length > MOST_OF_PROPERTY);
  const parts = isSplit ? encodedParts(row, () => true) : changed;
  if (isTooLarge(parts)) throw new RowTooLarge(key);
  return {
    members: [...marksOf(key, row), ...parts.flatMap(membersOf)].join(','),
    isAll: mustBeAll || isSplit,
    lies: isSplit ? 'split' : 'whole',
  };
}

/** Whether an entity is the mark of a device alone, and no row; it was read with `State` and `HasModules`. */
export function isMarkAlone(entity: Entity): boolean {
  return entity['HasModules'] === true && typeof entity['State'] !== 'string';
}

/** The row of an entity, which may have been read partially. */
export function decodeRow(hub: string, entity: Entity, isPartial = false): TableRow {
  const { twin, ...head } = read(entity, 'Row') as Omit<MirrorRow, 'hub' | 'changes' | 'deviceId'>;
  const properties = isPartial || twin === undefined ? NO_PROPERTIES : (read(entity, 'Twin') as typeof NO_PROPERTIES);
  const row: MirrorRow = {
    hub,
    ...identityOf(entity.rowKey ?? ''),
    ...head,
    ...(twin === undefined ? {} : { twin: { ...twin, ...properties } }),
    changes: isPartial ? [] : (read(entity, 'Changes') as readonly RowChange[]),
  };
  const isSplit = PART_NAMES.some((part) => bytesOf(entity, `${part}1`) !== undefined);
  const noModules = row.moduleId === undefined && !isPartial && entity['HasModules'] !== true;
  return {
    row,
    etag: entity.etag ?? '',
    lies: isPartial ? 'partial' : isSplit ? 'split' : 'whole',
    ...(noModules ? { noModules } : {}),
  };
}

/** Bytes of an entity that was read, about. */
export function sizeOf(entity: Entity): number {
  return Object.values(entity).reduce<number>(
    (sum, value) => sum + (value instanceof Uint8Array ? value.length : 50),
    0,
  );
}

const NO_PROPERTIES: { readonly desired: Fields; readonly reported: Fields } = { desired: {}, reported: {} };

/** What filters ask for. */
function marksOf({ moduleId }: IdentityKey, { state }: MirrorRow): string[] {
  return [`"State":"${state}"`, `"IsModule":${moduleId !== undefined}`];
}

function encodedParts(row: MirrorRow, isWanted: (part: Part) => boolean): EncodedPart[] {
  return PART_NAMES.filter(isWanted).map((part) => ({ part, bytes: Buffer.from(textOf(part, row)) }));
}

function textOf(part: Part, { hub: _, deviceId: _id, moduleId: _module, changes, twin, ...head }: MirrorRow): string {
  if (part === 'Changes') return JSON.stringify(changes);
  const { desired, reported, ...rest } = twin ?? {};
  if (part === 'Twin') return twin === undefined ? '' : JSON.stringify({ desired, reported });
  return JSON.stringify(twin === undefined ? head : { ...head, twin: rest });
}

function isTooLarge(parts: readonly EncodedPart[]): boolean {
  const sum = parts.reduce((size, { bytes }) => size + bytes.length, 0);
  return sum > MOST_OF_ROW || parts.some(({ part, bytes }) => bytes.length > PARTS[part] * MOST_OF_PROPERTY);
}

function isSame(part: Part, row: MirrorRow, before: MirrorRow | undefined): boolean {
  if (part === 'Changes') return row.changes === before?.changes;
  if (part === 'Row') return false;
  return row.twin?.desired === before?.twin?.desired && row.twin?.reported === before?.twin?.reported;
}

function membersOf({ part, bytes }: EncodedPart): string[] {
  const pieces = Math.max(1, Math.ceil(bytes.length / MOST_OF_PROPERTY));
  return namesOf(part)
    .slice(0, pieces)
    .map((name, at) => {
      const piece = bytes.subarray(at * MOST_OF_PROPERTY, (at + 1) * MOST_OF_PROPERTY);
      return `"${name}":"${piece.toString('base64')}","${name}@odata.type":"Edm.Binary"`;
    });
}

function namesOf(part: Part): string[] {
  return Array.from({ length: PARTS[part] }, (_, at) => (at === 0 ? part : `${part}${at}`));
}

function read(entity: Entity, part: Part): unknown {
  const pieces = namesOf(part).flatMap((name) => bytesOf(entity, name) ?? []);
  const [first] = pieces;
  if (first === undefined) throw new Error(`A row of the mirror lacks its property ${part}.`);
  const bytes = pieces.length === 1 ? Buffer.from(first.buffer, first.byteOffset, first.length) : Buffer.concat(pieces);
  return JSON.parse(bytes.toString('utf8'));
}

function bytesOf(entity: Entity, name: string): Uint8Array | undefined {
  const value = entity[name];
  return value instanceof Uint8Array ? value : undefined;
}
