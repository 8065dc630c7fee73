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
    expect(found.map(({ identity, of }) => [identity, of])).toEqual([[wanted[0], `the ${wanted[0]}`]]);
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
