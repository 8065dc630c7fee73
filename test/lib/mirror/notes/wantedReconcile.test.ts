import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  dropWantedReconcile,
  readWantedReconcile,
  wantReconcile,
} from '../../../../src/lib/mirror/notes/wantedReconcile.ts';
import { createStorage, type Storage } from '../../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';

let azurite: Azurite;
let storage: Storage;
beforeAll(async () => {
  azurite = await startAzurite();
  storage = createStorage({ kind: 'connectionString', connectionString: azurite.connectionString }, () => {
    throw new Error('no identity in this test');
  });
});
afterAll(() => azurite.stop());

const at = '2026-11-20T02:00:00.000Z';

describe('a reconcile that is asked for', () => {
  it('is there until it has begun, in an account that had no mirror before', async () => {
    expect(await readWantedReconcile(storage, 'east')).toBeUndefined();
    await wantReconcile(storage, { hub: 'east', reason: 'Offsets were refused.', at });
    const wanted = await readWantedReconcile(storage, 'east');
    expect(wanted).toMatchObject({ hub: 'east', reason: 'Offsets were refused.', at });
    expect(await readWantedReconcile(storage, 'west')).toBeUndefined();
    await dropWantedReconcile(storage, 'east', wanted?.etag ?? '');
    expect(await readWantedReconcile(storage, 'east')).toBeUndefined();
    await dropWantedReconcile(storage, 'east', wanted?.etag ?? '');
  });

  it('stays when it is asked for again while one begins', async () => {
    await wantReconcile(storage, { hub: 'east', reason: 'first', at });
    const first = await readWantedReconcile(storage, 'east');
    await wantReconcile(storage, { hub: 'east', reason: 'second', at });
    await dropWantedReconcile(storage, 'east', first?.etag ?? '');
    expect(await readWantedReconcile(storage, 'east')).toMatchObject({ reason: 'second' });
  });
});
