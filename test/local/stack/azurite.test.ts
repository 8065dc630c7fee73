import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { azuriteConnectionString, startAzurite } from '../../../local/stack/azurite.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'azurite-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const start = (ports = { blob: 0, queue: 0, table: 0 }) =>
  startAzurite({
    location: join(folder, 'data'),
    ports,
    logFile: join(folder, 'azurite.log'),
    env: process.env,
    readyTimeoutMs: 60_000,
  });

const blobOf = (ports: Awaited<ReturnType<typeof start>>['ready']) =>
  BlobServiceClient.fromConnectionString(azuriteConnectionString(ports))
    .getContainerClient('kept')
    .getBlockBlobClient('a.txt');

const tableOf = (ports: Awaited<ReturnType<typeof start>>['ready']) =>
  TableClient.fromConnectionString(azuriteConnectionString(ports), 'kept', { allowInsecureConnection: true });

test('Azurite listens on ports that the system chose, and after a stop finds its blobs and tables again on the same ports', async () => {
  const first = await start();
  try {
    const container = BlobServiceClient.fromConnectionString(azuriteConnectionString(first.ready)).getContainerClient(
      'kept',
    );
    await container.create();
    await container.getBlockBlobClient('a.txt').upload('hello', 5);
    await tableOf(first.ready).createTable();
    await tableOf(first.ready).createEntity({ partitionKey: 'p', rowKey: 'r', text: 'hello' });
  } finally {
    await first.stop(20_000);
  }
  await expect(first.exited).resolves.toEqual({ code: 0, signal: null });

  const second = await start(first.ready);
  try {
    expect(second.ready).toEqual(first.ready);
    expect((await blobOf(second.ready).downloadToBuffer()).toString()).toBe('hello');
    expect(await tableOf(second.ready).getEntity('p', 'r')).toMatchObject({ text: 'hello' });
  } finally {
    await second.stop(20_000);
  }
  expect(await readFile(join(folder, 'azurite.log'), 'utf8')).toContain('Azurite Table service successfully closed');
});

test('a port that is taken is told with the words of Azurite', async () => {
  const first = await start();
  try {
    await expect(
      startAzurite({
        location: join(folder, 'other'),
        ports: { ...first.ready, queue: 0, table: 0 },
        logFile: join(folder, 'other.log'),
        env: process.env,
        readyTimeoutMs: 60_000,
      }),
    ).rejects.toThrow(/Azurite ended while it started[\s\S]*EADDRINUSE/);
  } finally {
    await first.stop(20_000);
  }
});
