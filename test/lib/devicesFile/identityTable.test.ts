import { expect, it } from 'vitest';
import { createIdentityTable, hashIdentity } from '../../../src/lib/devicesFile/identityTable.ts';

it('remembers each of 200,000 identities, and no other', () => {
  const table = createIdentityTable(hashIdentity, 12345);
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
  const table = createIdentityTable((identity, _seed, out) => {
    out[0] = 0xffff_ffff;
    out[1] = 0xffff_ffff - Number(identity);
  }, 0);
  const lines = Array.from({ length: 1000 }, (_, n) => n + 1);
  for (const line of lines) table.claim(String(line), line);
  expect(lines.map((line) => table.find(String(line)))).toEqual(lines);
});

it('hashes evenly, and differently with another seed', () => {
  const out = new Uint32Array(2);
  const seen = new Set<string>();
  const shards = new Map<number, number>();
  for (let n = 0; n < 20_000; n += 1) {
    hashIdentity(`d${n}`, 1, out);
    seen.add(out.join());
    const shard = (out[0] ?? 0) >>> 26;
    shards.set(shard, (shards.get(shard) ?? 0) + 1);
  }
  expect(seen.size).toBe(20_000);
  expect(shards.size).toBe(64);
  expect(Math.max(...shards.values())).toBeLessThan(2 * Math.min(...shards.values()));
  hashIdentity('d1', 2, out);
  expect(seen).not.toContain(out.join());
});
