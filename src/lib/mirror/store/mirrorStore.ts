/**
 * The store of the mirror, whichever it is: rows by hub and identity, spread over buckets, and the queue of those for which
 * the registry has to be read. `test/lib/mirror/store/storeContract.ts` is what every store has to pass.
 */

import type { IdentityKey, MirrorRow } from '../rows/row.ts';

/** The unit of batching and of reconciling: a device and its modules are in one bucket. */
export const BUCKETS = 64;

export interface StoredRow {
  readonly row: MirrorRow;
  /** Of this version of the row. */
  readonly etag: string;
  /**
   * Of a device: as long as this is its row, no module of it has one; a write over it tells whether that still holds. Absent:
   * it is not known.
   */
  readonly noModules?: true;
}

export interface KeyToRead extends IdentityKey {
  /** There is most likely no such row, as of a device that has just been created: the store may say so without looking. */
  readonly likelyNew?: true;
}

export interface ReadOptions {
  readonly fresh?: true;
}

export interface RowWrite {
  /** What is written; `undefined` in its place: the row is removed. */
  readonly row: MirrorRow | undefined;
  readonly key: IdentityKey;
  /** What was read: the write holds only if the row is still that; absent: only if there is none. */
  readonly before?: StoredRow | undefined;
}

export interface RowRange {
  /** Default: all of them, merged into one order. */
  readonly bucket?: number;
  /** Rows of devices whose ids come after this one; their modules, too. */
  readonly after?: string;
  /** Of device ids. */
  readonly prefix?: string;
  /** Rows of this kind only. */
  readonly of?: 'devices' | 'modules';
  /** Those that are there; default: tombstones and unknown ones, too. */
  readonly presentOnly?: true;
  /** Reads no more of each row than its identity and tags: `desired` and `reported` are empty then, and `changes`. */
  readonly withoutProperties?: true;
  /** How many rows the caller is likely to take, so that no bucket is read far ahead; default: all of them. */
  readonly expect?: number;
}

export interface WantedRow extends IdentityKey {
  /** ISO UTC; not before. */
  readonly due: string;
}

/** @throws StoreUnavailable from each of its methods, when the store does not answer or throttles after all tries */
export interface MirrorStore {
  /** Makes what the store needs. */
  prepare(): Promise<void>;
  /**
   * In the order of `keys`. What is read may be older than what is stored, so that rows can be remembered: a write over it
   * tells, and what is read after a conflict is what is stored. Whoever decides that nothing is to be written reads `fresh`,
   * unless it is because something is older than the row: rows only ever become newer.
   */
  read(hub: string, keys: readonly KeyToRead[], options?: ReadOptions): Promise<readonly (StoredRow | undefined)[]>;
  /** A device and its modules. */
  readDevice(hub: string, deviceId: string): Promise<readonly StoredRow[]>;
  /**
   * Each write is atomic together with its place in the queue: a row with `wanted` is in it, one without is not. No two
   * writes are of one key, and what was read was read with its properties. When it throws, some may have been done. The first
   * module of a device makes the device's row another version of it.
   *
   * @returns those whose row was no longer what was read
   * @throws RowTooLarge
   */
  write(hub: string, writes: readonly RowWrite[]): Promise<readonly RowWrite[]>;
  /** By device id, a device before its modules, these by id: by the order of their characters' codes. */
  rows(hub: string, range?: RowRange): AsyncIterable<StoredRow>;
  /**
   * Those that are due, in no order; at most `most` of each bucket. There may be some among them that are so no more, in
   * another process than the one that has written them: until they are read, as they are stored.
   */
  wanted(hub: string, options: { readonly dueBy: string; readonly most: number }): AsyncIterable<WantedRow>;
  /** How many are in the queue, due or not, those included that are so no more; counts no further than `most`. */
  countWanted(hub: string, most: number): Promise<number>;
}

/** The store does not answer, or throttles: later it may. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  /** It answers, but the identity of the app has no role there. */
  readonly lacksRole: boolean;

  constructor(message: string, lacksRole = false) {
    super(message);
    this.lacksRole = lacksRole;
  }
}

/** No row can hold it. */
export class RowTooLarge extends Error {
  override readonly name = 'RowTooLarge';
  readonly key: IdentityKey;

  constructor(key: IdentityKey) {
    super('The row is larger than the store can hold.');
    this.key = key;
  }
}
