import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openSnapshot, SnapshotLost, snapshotWay } from '../../../src/lib/registryLines/snapshot.ts';
import { lostOf } from '../../../src/lib/runs/stagingLost.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { testContext } from '../../helpers/provisioningContext.ts';

let azurite: Azurite;
let container: ContainerClient;
beforeAll(async () => {
  azurite = await startAzurite();
  container = testContext(azurite.connectionString).storage.container('snapshots');
  await container.createIfNotExists();
});
afterAll(() => azurite.stop());

const EXPORT = [
  'The keys of the devices were left out.',
  '{"id":"d1","tags":{}}',
  '{"id":"d1","moduleId":"m","tags":{"of":"a module"}}',
  '{"tags":{},"id":"later"}',
  '{"id":"\\u0064\\u0032"}',
  '',
].join('\r\n');

async function upload(blobName: string, text: string): Promise<string | undefined> {
  return (await container.getBlockBlobClient(blobName).upload(text, Buffer.byteLength(text))).etag;
}

it.each([
  [0, 'none'],
  [1, 'single'],
  [200, 'single'],
  [201, 'export'],
  [1_000_000, 'export'],
])('%i identities are read by way of: %s', (identities, way) => {
  expect(snapshotWay(identities)).toBe(way);
});

describe('the lines of a snapshot', () => {
  it('are those of identities alone, as they are written', async () => {
    const etag = (await upload('as-written', EXPORT)) ?? '';
    const snapshot = openSnapshot(container, { blobName: 'as-written', etag });
    const written = EXPORT.split('\r\n').slice(1, -1);
    expect(await Array.fromAsync(snapshot.lines())).toEqual(written);
  });

  it.each([
    ['a device, not its module', ['d1'], ['{"id":"d1","tags":{}}']],
    ['a module, not its device', ['d1\nm'], ['{"id":"d1","moduleId":"m","tags":{"of":"a module"}}']],
    ['ids that come later in the line', ['later', 'none'], ['{"tags":{},"id":"later"}']],
    ['ids that are written with escapes', ['d2'], ['{"id":"\\u0064\\u0032"}']],
  ])('are found by identity: %s', async (_what, wanted, texts) => {
    await upload('found', EXPORT);
    // An earlier version noted no ETag.
    const found = await Array.fromAsync(
      openSnapshot(container, { blobName: 'found' }).find(
        new Map(wanted.map((identity) => [identity, `the ${identity}`])),
      ),
    );
    expect(found.map(({ text }) => text)).toEqual(texts);
    expect(found.map(({ of }) => of)).toEqual([`the ${wanted[0]}`]);
  });

  it('leave no more in memory than what is kept of those that were found', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const live = async () => {
      // What the last request still holds goes in between.
      for (let times = 0; times < 3; times++) {
        collect();
        await setImmediate();
      }
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const line = (index: number) => `{"id":"d${index}","tags":{"kept of it":"${index}"},"rest":"${'x'.repeat(400)}"}`;
    const ids = Array.from({ length: 100_000 }, (_, index) => index);
    await upload('large', ids.map(line).join('\n'));
    const wanted = new Map(ids.filter((index) => index % 100 === 0).map((index) => [`d${index}`, index]));
    const before = await live();
    const kept: string[] = [];
    for await (const { text } of openSnapshot(container, { blobName: 'large' }).find(wanted)) {
      kept.push(text.slice(text.indexOf('"tags"'), text.indexOf('"rest"')));
    }
    const after = await live();
    expect(kept).toHaveLength(1000);
    expect(after - before).toBeLessThan(4_000_000);
  });

  it('are lost once others stand in their place, or none: a run takes both for the same', async () => {
    const etag = (await upload('replaced', EXPORT)) ?? '';
    await upload('replaced', '{"id":"another"}\n');
    const reading = Array.fromAsync(openSnapshot(container, { blobName: 'replaced', etag }).lines());
    const error: unknown = await reading.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SnapshotLost);
    expect(lostOf(error)).toBe('a blob');
    const missing = Array.fromAsync(openSnapshot(container, { blobName: 'missing', etag }).lines());
    expect(lostOf(await missing.catch((reason: unknown) => reason))).toBe('a blob');
  });
});
