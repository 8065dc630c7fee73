import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { knowsTables, tableServiceUriOf } from '../../../src/lib/storage/connection.ts';
import { createStorage } from '../../../src/lib/storage/storage.ts';
import { connectTable } from '../../../src/lib/storage/table.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';

const noCredential = () => {
  throw new Error('a connection string needs no credential');
};
const byString = (connectionString: string) => ({ kind: 'connectionString', connectionString }) as const;

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

describe('a table of the storage account', () => {
  it('is reached by its connection string', async () => {
    const table = createStorage(byString(azurite.connectionString), noCredential).table('fleet');
    await table.createTable();
    await table.createEntity({ partitionKey: 'p', rowKey: 'r', value: new Uint8Array([1, 2]) });
    expect(await table.getEntity('p', 'r')).toMatchObject({ value: Buffer.from([1, 2]) });
  });

  it.each([
    ['UseDevelopmentStorage=true', 'http://127.0.0.1:10002/devstoreaccount1'],
    ['AccountName=a;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn', 'https://a.table.core.chinacloudapi.cn'],
    [
      'AccountName=a;AccountKey=a2V5;BlobEndpoint=https://b.example;TableEndpoint=https://t.example',
      'https://t.example',
    ],
  ])('of %s is at %s', (connectionString, url) => {
    expect(knowsTables(byString(connectionString))).toBe(true);
    expect(connectTable(byString(connectionString), 'fleet', noCredential).url).toBe(url);
  });

  it('is reached with the identity that reaches the blobs', () => {
    const asked: (string | undefined)[] = [];
    const credential = (clientId: string | undefined) => {
      asked.push(clientId);
      return { getToken: async () => null };
    };
    const connection = { kind: 'identity', blobServiceUri: 'https://a.blob.core.windows.net', clientId: 'me' } as const;
    expect(connectTable(connection, 'fleet', credential).url).toBe('https://a.table.core.windows.net');
    expect(asked).toEqual(['me']);
  });

  it.each([
    ['https://a.blob.core.windows.net/', 'https://a.table.core.windows.net'],
    ['https://a.z01.blob.storage.azure.net', 'https://a.z01.table.storage.azure.net'],
    ['https://blobs.example', undefined],
    ['https://my.blobs.blob.example', undefined],
    ['no URL', undefined],
  ])('with blobs at %s is at %s', (blobServiceUri, expected) => {
    expect(tableServiceUriOf({ blobServiceUri })).toBe(expected);
    expect(knowsTables({ kind: 'identity', blobServiceUri })).toBe(expected !== undefined);
  });

  it('that does not answer is not waited for without end', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const connectionString = azurite.connectionString.replace(/(TableEndpoint=[^;]*:)\d+/, `$1${port}`);
    const ask = (tryMs: number, callMs: number) =>
      connectTable(byString(connectionString), 'fleet', noCredential, { tryMs, callMs, pauseMs: 1 }).getEntity(
        'p',
        'r',
      );
    try {
      await expect(ask(100, 60_000)).rejects.toMatchObject({ name: 'AbortError' });
      await expect(ask(60_000, 100)).rejects.toMatchObject({ name: 'AbortError' });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});
