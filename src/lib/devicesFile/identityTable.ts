/**
 * Which identities a file has named so far, a million of them in 19 MB: a table of 64-bit hashes and line numbers, no
 * strings. A hit says only that two hashes met; whether the identities are the same is for the caller to find out.
 */

/**
 * Writes a 64-bit hash of `identity` into `out[0]` (high half) and `out[1]`. The seed differs from check to check, so
 * nobody can prepare a file whose identities all meet.
 */
export type IdentityHash = (identity: string, seed: number, out: Uint32Array) => void;

/** Two multiply-xor lanes, each finished by avalanche mixing as in MurmurHash3. */
export const hashIdentity: IdentityHash = (identity, seed, out) => {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let index = 0; index < identity.length; index += 1) {
    const code = identity.charCodeAt(index);
    high = Math.imul(high ^ code, 0x9e3779b1);
    low = Math.imul(low ^ code, 0x5f356495);
  }
  out[0] = mix(high ^ (low >>> 13));
  out[1] = mix(low ^ (high >>> 15));
};

function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export interface IdentityTable {
  /** Takes the identity for `line` (1 to 2^32-1) and returns 0, or returns the line that had the same hash before. */
  claim(identity: string, line: number): number;
  /** The line that claimed an identity of the same hash, or 0. */
  find(identity: string): number;
}

/** What tells one device or module from all others, as one text: ids hold no newline. */
export function identityOf({ id, moduleId }: { readonly id: string; readonly moduleId?: string | null }): string {
  return moduleId === undefined || moduleId === null ? id : `${id}\n${moduleId}`;
}

/** Three numbers a slot: high half, low half, line (0: free). */
const SLOT = 3;
const SHARD_BITS = 6;
const FIRST_SLOTS = 64;
/**
 * The size after the first: all shards together hold the million identities that a hub can have (of 12 bytes each), so
 * that a larger file than a small one seldom needs to grow again and leave garbage behind.
 */
const FULL_SLOTS = 24_576;
/** Beyond this part filled, a shard grows by half. */
const FULLEST = 0.8;

export function createIdentityTable(hash: IdentityHash, seed: number): IdentityTable {
  // In shards, so that growing copies a sixty-fourth of the table at a time and never needs twice the memory.
  const shards = Array.from({ length: 1 << SHARD_BITS }, () => new Uint32Array(FIRST_SLOTS * SLOT));
  const used = new Uint32Array(1 << SHARD_BITS);
  const hashed = new Uint32Array(2);

  function grow(shard: number, from: Uint32Array): Uint32Array<ArrayBuffer> {
    const slots = from.length / SLOT;
    const to = new Uint32Array(Math.max(FULL_SLOTS, Math.ceil(slots * 1.5)) * SLOT);
    for (let at = 0; at < from.length; at += SLOT) {
      const line = from[at + 2] ?? 0;
      if (line !== 0) place(to, from[at] ?? 0, from[at + 1] ?? 0, line);
    }
    shards[shard] = to;
    return to;
  }

  return {
    claim(identity, line) {
      hash(identity, seed, hashed);
      const high = hashed[0] ?? 0;
      const low = hashed[1] ?? 0;
      const shard = high >>> (32 - SHARD_BITS);
      let slots = shards[shard] ?? new Uint32Array(0);
      if ((used[shard] ?? 0) + 1 > (slots.length / SLOT) * FULLEST) slots = grow(shard, slots);
      const before = place(slots, high, low, line);
      if (before === 0) used[shard] = (used[shard] ?? 0) + 1;
      return before;
    },
    find(identity) {
      hash(identity, seed, hashed);
      const high = hashed[0] ?? 0;
      const low = hashed[1] ?? 0;
      const slots = shards[high >>> (32 - SHARD_BITS)] ?? new Uint32Array(0);
      return slots[slotOf(slots, high, low) + 2] ?? 0;
    },
  };
}

/** Puts the entry into its slot and returns 0, or leaves all as it is and returns the line of the same hash. */
function place(slots: Uint32Array, high: number, low: number, line: number): number {
  const at = slotOf(slots, high, low);
  const there = slots[at + 2] ?? 0;
  if (there !== 0) return there;
  slots[at] = high;
  slots[at + 1] = low;
  slots[at + 2] = line;
  return 0;
}

/** Where the hash is, or the free slot where it belongs. There always is one: a shard is never full. */
function slotOf(slots: Uint32Array, high: number, low: number): number {
  // The low half, scaled to the number of slots: spreads evenly over a length that is no power of two.
  let at = Math.floor((low / 0x1_0000_0000) * (slots.length / SLOT)) * SLOT;
  while ((slots[at + 2] ?? 0) !== 0 && (slots[at] !== high || slots[at + 1] !== low)) {
    at += SLOT;
    if (at >= slots.length) at = 0;
  }
  return at;
}
