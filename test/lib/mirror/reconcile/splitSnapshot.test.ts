import { beforeAll, describe, expect, it } from 'vitest';

import { parsedLine } from '../../../../src/lib/mirror/reconcile/comparePiece.ts';
import {
  compareKeys,
  type Piece,
  piecesOf,
  readPiece,
  type ShownLine,
} from '../../../../src/lib/mirror/reconcile/sections.ts';
import type { ShownIdentity } from '../../../../src/lib/mirror/reconcile/shownIdentity.ts';
import { type SplitSnapshot, splitSnapshot } from '../../../../src/lib/mirror/reconcile/splitSnapshot.ts';
import { bucketOf } from '../../../../src/lib/mirror/store/bucketOf.ts';
import { BUCKETS } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createStorage } from '../../../../src/lib/storage/storage.ts';
import { startAzurite } from '../../../helpers/azurite.ts';

let blobOf: (name: string) => Parameters<typeof splitSnapshot>[1];

beforeAll(async () => {
  const { connectionString } = await startAzurite();
  const container = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('no identity in this test');
  }).container('split');
  await container.create();
  blobOf = (name) => container.getBlockBlobClient(name);
});

const noParents = { bytes: 0, parents: async () => undefined };

async function* from(lines: readonly object[]): AsyncGenerator<string> {
  for (const line of lines) yield JSON.stringify({ status: 'enabled', ...line });
}

function pieceOf(id: string): Piece {
  return { firstBucket: bucketOf(id), buckets: 1, part: 0, parts: 1 };
}

async function linesOf(name: string, split: SplitSnapshot, piece: Piece): Promise<ShownLine[]> {
  return (await readPiece(blobOf(name), split, piece)).flatMap(({ lines }) => lines);
}

describe('a snapshot', () => {
  it('is split into the buckets of the store, in each the order of the store', async () => {
    const lines = Array.from({ length: 3_000 }, (_, n) => ({
      id: `d${2_999 - n}`,
      ...(n % 10 === 0 ? { moduleId: 'm' } : {}),
      tags: { text: 'ä'.repeat(n % 1_000) },
    }));
    // Of an identity that is there twice, the first line counts.
    const twice = { id: 'd2998', tags: { text: 'second' } };
    const split = await splitSnapshot(from([...lines, twice]), blobOf('whole'), noParents);
    expect(split.identities).toBe(3_001);
    expect(split.sections).toHaveLength(BUCKETS);
    const found: ShownIdentity[] = [];
    for (const piece of piecesOf(split)) {
      for (const { bucket, lines: inBucket } of await readPiece(blobOf('whole'), split, piece)) {
        expect(inBucket.every(({ deviceId }) => bucketOf(deviceId) === bucket)).toBe(true);
        expect(inBucket).toEqual(inBucket.toSorted(compareKeys));
        found.push(...inBucket.map(parsedLine));
      }
    }
    const tags = new Map(lines.map(({ id, ...line }) => [id, line.tags]));
    expect(found).toHaveLength(3_000);
    expect(found.filter(({ deviceId, tags: shown }) => shown?.['text'] !== tags.get(deviceId)?.text)).toEqual([]);
  });

  it('is read in parts where a section is large', async () => {
    const split = await splitSnapshot(
      from(Array.from({ length: 2_000 }, (_, n) => ({ id: `d${n}` }))),
      blobOf('parts'),
      noParents,
    );
    const [whole, ...parts] = await Promise.all(
      [[0, 1] as const, [0, 2] as const, [1, 2] as const].map(([part, parts]) =>
        linesOf('parts', split, { firstBucket: 3, buckets: 1, part, parts }),
      ),
    );
    expect(whole?.length).toBeGreaterThan(10);
    expect(parts.flat().sort(compareKeys)).toEqual(whole);
  });

  it('of no identities has empty sections', async () => {
    const split = await splitSnapshot(from([]), blobOf('empty'), noParents);
    expect(split.sections.every((bytes) => bytes === 0)).toBe(true);
    expect(await linesOf('empty', split, { firstBucket: 0, buckets: 64, part: 0, parts: 1 })).toEqual([]);
  });

  it('that is written over is not read as if it were the one that was split', async () => {
    const split = await splitSnapshot(from([{ id: 'd' }]), blobOf('old'), noParents);
    await splitSnapshot(from([{ id: 'other' }]), blobOf('old'), noParents);
    await expect(linesOf('old', split, pieceOf('d'))).rejects.toMatchObject({ statusCode: 412 });
  });

  it('has the parents of edge devices asked for once, and only where a line does not tell them', async () => {
    let asked = 0;
    const parents = async () => {
      asked += 1;
      return new Map([['down', ['ms-azure-iot-edge://up-1']]]);
    };
    const edge = { capabilities: { iotEdge: true } };
    await splitSnapshot(from([{ id: 'leaf' }, { id: 'up', ...edge, parentScopes: [] }]), blobOf('told'), {
      bytes: 0,
      parents,
    });
    expect(asked).toBe(0);
    const split = await splitSnapshot(
      from([
        { id: 'down', ...edge },
        { id: 'up', ...edge },
      ]),
      blobOf('asked'),
      { bytes: 0, parents },
    );
    expect(asked).toBe(1);
    const of = async (id: string) => {
      const lines = await linesOf('asked', split, pieceOf(id));
      return lines.map(parsedLine).find(({ deviceId }) => deviceId === id)?.parent;
    };
    expect([await of('down'), await of('up')]).toEqual(['up', null]);
  });
});
