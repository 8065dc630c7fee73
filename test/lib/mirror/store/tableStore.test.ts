import { afterAll, beforeAll } from 'vitest';

import type { MirrorStore } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createTableStore } from '../../../../src/lib/mirror/store/tableStore.ts';
import { createStorage } from '../../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { describeStore } from './storeContract.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const open = async (): Promise<MirrorStore> => {
  const connection = { kind: 'connectionString', connectionString: azurite.connectionString } as const;
  const storage = createStorage(connection, () => {
    throw new Error('a connection string needs no credential');
  });
  return createTableStore(storage.table('mirror'));
};

describeStore('the store in Azure Table storage', open);
