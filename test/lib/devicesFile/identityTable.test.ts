import { describe, expect, it } from 'vitest';
import { createIdentityHash, createIdentityTable } from '../../../src/lib/devicesFile/identityTable.ts';

it('remembers each of 200,000 identities, and no other', () => {
  const table = createIdentityTable();
  const wrong: string[] = [];
  const count = 200_000;
  for (let n = 1; n <= count; n += 1) if (table.claim(`device-${n}`, n) !== 0) wrong.push(`claimed twice: ${n}`);
  for (let n = 1; n <= count; n += 1) {
    if (table.claim(`device-${n}`, count + n) !== n) wrong.push(`lost: ${n}`);
    if (table.find(`device-${n}`) !== n) wrong.push(`not found: ${n}`);
    if (table.find(`other-${n}`) !== 0) wrong.push(`invented: ${n}`);
  }
  expect(wrong).toEqual([]);
});

it('finds room when all hashes are close to the end of one shard', () => {
  const table = createIdentityTable((identity, out) => {
    out.fill(0xffff_ffff);
    out[1] = 0xffff_ffff - Number(identity);
  });
  const lines = Array.from({ length: 1000 }, (_, n) => n + 1);
  for (const line of lines) table.claim(String(line), line);
  expect(lines.map((line) => table.find(String(line)))).toEqual(lines);
});

it.each([0, 1, 2, 3])('tells identities apart whose hashes differ in part %i alone', (part) => {
  const table = createIdentityTable((identity, out) => {
    out.fill(7);
    out[part] = Number(identity);
  });
  expect([1, 2, 3].map((line) => table.claim(String(line), line))).toEqual([0, 0, 0]);
  expect([1, 2, 3].map((line) => table.find(String(line)))).toEqual([1, 2, 3]);
  expect(table.find('4')).toBe(0);
});

describe('the hash', () => {
  const COUNT = 100_000;
  /** Ids that are alike, in the ways in which those of a fleet are. */
  const FLEETS: Readonly<Record<string, (n: number) => string>> = {
    counted: (n) => `d${n}`,
    padded: (n) => `plant-7/line-2/sensor-${String(n).padStart(9, '0')}`,
    'counted at the front': (n) => `${n}-thermostat`,
    'with modules': (n) => `device-${n % 1000}\nmodule-${Math.floor(n / 1000)}`,
    'of two letters': (n) => n.toString(2).replaceAll('0', 'a').replaceAll('1', 'A'),
    'of one letter': (n) => 'x'.repeat(n % 128) + String.fromCharCode(0x4e00 + Math.floor(n / 128)),
    'serial numbers': (n) => Math.imul(n, 0x9e3779b1).toString(16),
  };
  /**
   * Any 32 of its bits: so many pairs meet at most. By chance it is about one; but one draw in forty costs a part five of
   * its bits for ids of few letters, which makes it about 37. No two parts are drawn alike: 64 bits never meet.
   */
  const MOST_MEETINGS = 100;

  it.each(Object.keys(FLEETS))(
    'of ids that are %s meets as chance does, in each of its parts and across them',
    (fleet) => {
      const hash = createIdentityHash();
      const out = new Uint32Array(4);
      const whole = new Set<string>();
      const views = Array.from({ length: 6 }, () => new Set<number>());
      const halves = Array.from({ length: 2 }, () => new Set<string>());
      for (let n = 0; n < COUNT; n += 1) {
        hash(FLEETS[fleet]?.(n) ?? '', out);
        const [a = 0, b = 0, c = 0, d = 0] = out;
        whole.add(out.join());
        halves[0]?.add(`${a} ${b}`);
        halves[1]?.add(`${c} ${d}`);
        const acrossLow = (a & 0xff) | ((b & 0xff) << 8) | ((c & 0xff) << 16) | (d << 24);
        const acrossHigh = (a >>> 24) | ((b >>> 24) << 8) | ((c >>> 24) << 16) | (d & 0xff00_0000);
        for (const [at, view] of [a, b, c, d, acrossLow, acrossHigh].entries()) views[at]?.add(view);
      }
      expect(whole.size).toBe(COUNT);
      for (const half of halves) expect(half.size).toBe(COUNT);
      for (const view of views) expect(COUNT - view.size).toBeLessThanOrEqual(MOST_MEETINGS);
    },
  );

  // The multiplier of all lanes undone: what becomes of a pair of letters is chosen.
  it('tells ids apart whose difference passes the multipliers of all parts', () => {
    const drawn = crypto.getRandomValues(new Uint32Array(9));
    let inverse = 1;
    for (let times = 0; times < 6; times += 1)
      inverse = Math.imul(inverse, 2 - Math.imul((drawn[0] ?? 0) | 1, inverse));
    const lettersOf = (mixed: number) => {
      const pair = Math.imul(mixed ^ (mixed >>> 16), inverse);
      return String.fromCharCode(pair & 0xffff, pair >>> 16);
    };
    const hash = createIdentityHash(drawn);
    const hashOf = (...mixed: number[]) => {
      const out = new Uint32Array(4);
      hash(mixed.map(lettersOf).join(''), out);
      return [...out];
    };
    for (let shift = 1; shift < 32; shift += 1) {
      const one = hashOf(0x1234_5678, 0x0bcd_ef01);
      const other = hashOf(0x1234_5678 ^ 0x8000_0000, 0x0bcd_ef01 ^ 0x8000_0000 ^ (0x8000_0000 >>> shift));
      expect(one.filter((part, at) => part === other[at]).length).toBeLessThanOrEqual(1);
    }
  });

  it('is another for each table', () => {
    const hashes = Array.from({ length: 20 }, () => {
      const out = new Uint32Array(4);
      createIdentityHash()('d1', out);
      return out.join();
    });
    expect(new Set(hashes).size).toBe(20);
  });

  it('fills the shards evenly', () => {
    const hash = createIdentityHash();
    const out = new Uint32Array(4);
    const shards = new Map<number, number>();
    for (let n = 0; n < 20_000; n += 1) {
      hash(`d${n}`, out);
      const shard = (out[0] ?? 0) >>> 26;
      shards.set(shard, (shards.get(shard) ?? 0) + 1);
    }
    expect(shards.size).toBe(64);
    expect(Math.max(...shards.values())).toBeLessThan(2 * Math.min(...shards.values()));
  });
});
