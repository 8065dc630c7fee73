/**
 * Which identities a file has named so far, a million of them in 31 MB: a table of 128-bit hashes and line numbers, no
 * strings. Of a million identities two share a hash by chance once in 10^26 files: whoever meets a hash again has met the
 * identity again.
 */

import { getRandomValues } from 'node:crypto';

/** Writes a 128-bit hash of `identity` into the four numbers of `out`. */
export type IdentityHash = (identity: string, out: Uint32Array) => void;

/**
 * Four multiply-xor lanes, finished by avalanche mixing as in MurmurHash3. Their multipliers are drawn anew for each
 * hash, so nobody can prepare a file whose identities meet. Each lane shifts by another number: a difference in the
 * highest bit passes every multiplier as it is, and lanes that shifted it alike would all lose it at the next pair.
 */
export function createIdentityHash(drawn = getRandomValues(new Uint32Array(9))): IdentityHash {
  const odd = (index: number): number => (drawn[index] ?? 0) | 1;
  const byAll = odd(0);
  const byA = odd(1);
  const byB = odd(2);
  const byC = odd(3);
  const byD = odd(4);
  return (identity, out) => {
    const { length } = identity;
    let a = drawn[5] ?? 0;
    let b = drawn[6] ?? 0;
    let c = drawn[7] ?? 0;
    let d = drawn[8] ?? 0;
    for (let index = 0; index < length; index += 2) {
      // What stands high in a pair would reach few bits of a product.
      let pair = identity.charCodeAt(index);
      if (index + 1 < length) pair |= identity.charCodeAt(index + 1) << 16;
      pair = Math.imul(pair, byAll);
      pair ^= pair >>> 16;
      a = Math.imul(a ^ pair, byA);
      b = Math.imul(b ^ pair, byB);
      c = Math.imul(c ^ pair, byC);
      d = Math.imul(d ^ pair, byD);
      a ^= a >>> 15;
      b ^= b >>> 13;
      c ^= c >>> 17;
      d ^= d >>> 11;
    }
    out[0] = mix(a ^ length);
    out[1] = mix(b ^ length);
    out[2] = mix(c ^ length);
    out[3] = mix(d ^ length);
  };
}

function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export interface IdentityTable {
  /** Takes the identity for `line` (1 to 2^32-1) and returns 0, or returns the line that had it before. */
  claim(identity: string, line: number): number;
  /** The line that claimed the identity, or 0. */
  find(identity: string): number;
}

/** What tells one device or module from all others, as one text: ids hold no newline. */
export function identityOf({ id, moduleId }: { readonly id: string; readonly moduleId?: string | null }): string {
  return moduleId === undefined || moduleId === null ? id : `${id}\n${moduleId}`;
}

/** Five numbers a slot: the hash, and the line (0: free). */
const SLOT = 5;
const LINE = 4;
const SHARD_BITS = 6;
const FIRST_SLOTS = 64;
/**
 * The size after the first: all shards together hold the million identities that a hub can have (of 20 bytes each), so
 * that a larger file than a small one seldom needs to grow again and leave garbage behind.
 */
const FULL_SLOTS = 24_576;
/** Beyond this part filled, a shard grows by half. */
const FULLEST = 0.8;

export function createIdentityTable(hash: IdentityHash = createIdentityHash()): IdentityTable {
  // In shards, so that growing copies a sixty-fourth of the table at a time and never needs twice the memory.
  const shards = Array.from({ length: 1 << SHARD_BITS }, () => new Uint32Array(FIRST_SLOTS * SLOT));
  const used = new Uint32Array(1 << SHARD_BITS);
  const hashed = new Uint32Array(4);

  function grow(shard: number, from: Uint32Array): Uint32Array<ArrayBuffer> {
    const slots = from.length / SLOT;
    const to = new Uint32Array(Math.max(FULL_SLOTS, Math.ceil(slots * 1.5)) * SLOT);
    for (let at = 0; at < from.length; at += SLOT) {
      if (from[at + LINE] === 0) continue;
      const entry = from.subarray(at, at + SLOT);
      to.set(entry, slotOf(to, entry));
    }
    shards[shard] = to;
    return to;
  }

  function shardOf(identity: string): number {
    hash(identity, hashed);
    return (hashed[0] ?? 0) >>> (32 - SHARD_BITS);
  }

  return {
    claim(identity, line) {
      const shard = shardOf(identity);
      let slots = shards[shard] ?? new Uint32Array(0);
      if ((used[shard] ?? 0) + 1 > (slots.length / SLOT) * FULLEST) slots = grow(shard, slots);
      const at = slotOf(slots, hashed);
      const before = slots[at + LINE] ?? 0;
      if (before !== 0) return before;
      for (let part = 0; part < LINE; part += 1) slots[at + part] = hashed[part] ?? 0;
      slots[at + LINE] = line;
      used[shard] = (used[shard] ?? 0) + 1;
      return 0;
    },
    find(identity) {
      const slots = shards[shardOf(identity)] ?? new Uint32Array(0);
      return slots[slotOf(slots, hashed) + LINE] ?? 0;
    },
  };
}

/** Where the hash is, or the free slot where it belongs. There always is one: a shard is never full. */
function slotOf(slots: Uint32Array, hash: Uint32Array): number {
  const a = hash[0] ?? 0;
  const b = hash[1] ?? 0;
  const c = hash[2] ?? 0;
  const d = hash[3] ?? 0;
  // One part of it, scaled to the number of slots: spreads evenly over a length that is no power of two.
  let at = Math.floor((b / 0x1_0000_0000) * (slots.length / SLOT)) * SLOT;
  while (
    slots[at + LINE] !== 0 &&
    (slots[at] !== a || slots[at + 1] !== b || slots[at + 2] !== c || slots[at + 3] !== d)
  ) {
    at += SLOT;
    if (at >= slots.length) at = 0;
  }
  return at;
}
