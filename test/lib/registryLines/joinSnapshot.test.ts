import { expect, it } from 'vitest';

import { joinSnapshot } from '../../../src/lib/registryLines/joinSnapshot.ts';
import type { SnapshotLines } from '../../../src/lib/registryLines/snapshot.ts';

const REGISTRY = new Map([
  ['d1', 'the device'],
  ['d1\nm', 'its module'],
  ['d3', 'another'],
]);

/** Counts how often the snapshot is read. */
function snapshotOf(texts: ReadonlyMap<string, string>) {
  const reads: number[] = [];
  const snapshot: SnapshotLines = {
    async *lines() {},
    async *find<T>(wanted: ReadonlyMap<string, T>) {
      reads.push(wanted.size);
      for (const [identity, text] of texts) {
        const of = wanted.get(identity);
        if (of !== undefined) yield { text, of };
      }
    },
  };
  return { snapshot, reads };
}

async function* textsOf(lines: readonly object[]) {
  yield* lines.map((line) => JSON.stringify(line));
}

const LINES = [{ id: 'd3' }, { id: 'd2' }, { id: 'd1', moduleId: 'm', tags: { a: 1 } }, { id: 'd1', moduleId: null }];
const TOLD = ['d3: another', undefined, 'd1: its module', 'd1: the device'];

it.each([
  ['at once', { lines: 10, characters: 1000 }, [4]],
  ['in passes of so many lines', { lines: 3, characters: 1000 }, [3, 1]],
  ['in passes of so many characters', { lines: 10, characters: 20 }, [2, 1, 1]],
])('each line comes with what the snapshot tells of it, in the order of the lines: %s', async (_how, most, passes) => {
  const { snapshot, reads } = snapshotOf(REGISTRY);
  const tell = (line: { readonly id: string }, found: string) => `${line.id}: ${found}`;
  const joined = await Array.fromAsync(joinSnapshot(textsOf(LINES), snapshot, tell, most));
  expect(joined.map(([line]) => line)).toEqual(LINES);
  expect(joined.map(([, told]) => told)).toEqual(TOLD);
  expect(reads).toEqual(passes);
});

it('no line reads no snapshot, and by itself it takes 20,000 lines a pass', async () => {
  const none = snapshotOf(REGISTRY);
  expect(await Array.fromAsync(joinSnapshot(textsOf([]), none.snapshot, () => true))).toEqual([]);
  expect(none.reads).toEqual([]);
  const many = snapshotOf(REGISTRY);
  const lines = Array.from({ length: 20_001 }, (_, index) => ({ id: `d${index}` }));
  expect(await Array.fromAsync(joinSnapshot(textsOf(lines), many.snapshot, () => true))).toHaveLength(20_001);
  expect(many.reads).toEqual([20_000, 1]);
});
