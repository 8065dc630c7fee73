import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { BlobServiceClient, type BlockBlobClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseBlobPath } from '../../../../local/host/blob/blobPath.ts';
import type { BlobFunction } from '../../../../local/host/blob/blobTrigger.ts';
import { type ContainerScan, createContainerScan } from '../../../../local/host/blob/containerScan.ts';
import { createReceiptBook } from '../../../../local/host/blob/receipts.ts';
import { createScanMarkStore } from '../../../../local/host/blob/scanMark.ts';
import { createTriggerQueue } from '../../../../local/host/blob/triggerQueue.ts';
import { storageConnection } from '../../../../local/host/connections.ts';
import { settingsFrom } from '../../../../local/host/settings.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { eventually } from '../../../helpers/eventually.ts';

describe('the scan of a container', () => {
  let azurite: Azurite;
  let container: ContainerClient;
  let hosts: ContainerClient;
  let hostId: string;
  let tests = 0;

  beforeAll(async () => {
    azurite = await startAzurite();
  });
  afterAll(() => azurite.stop());
  beforeEach(async () => {
    const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
    hostId = `scan-${++tests}`;
    container = service.getContainerClient(hostId);
    hosts = service.getContainerClient('azure-webjobs-hosts');
    await Promise.all([container.createIfNotExists(), hosts.createIfNotExists()]);
  });

  /** A scan as a host that starts now has it, and the names that it queued. */
  function startScan(pageSize?: number): ContainerScan & { readonly queued: string[] } {
    const connection = storageConnection(undefined, settingsFrom({ AzureWebJobsStorage: azurite.connectionString }));
    const queue = createTriggerQueue(connection, hostId);
    const queued: string[] = [];
    const target: BlobFunction = {
      name: 'incoming',
      functionId: 'Host.Functions.incoming',
      bindingName: 'blob',
      path: parseBlobPath(`${hostId}/{name}`),
      connection,
      source: 'LogsAndContainerScan',
      sdkBinding: false,
    };
    const scan = createContainerScan({
      container,
      functions: [target],
      marks: createScanMarkStore(hosts, { hostId, account: container.accountName, container: hostId }),
      receipts: createReceiptBook(hosts, hostId),
      queue: {
        ...queue,
        async enqueue(message) {
          await queue.enqueue(message);
          queued.push(message.BlobName);
        },
      },
      unkind: undefined,
      log: () => undefined,
      ...(pageSize !== undefined && { pageSize }),
    });
    return { poll: scan.poll, queued };
  }

  const upload = (name: string) => container.getBlockBlobClient(name).upload(name, name.length);

  /** An upload that the storage has begun to take; its blob is there, with the time of its beginning, at the end. */
  async function beginUpload(name: string): Promise<() => Promise<unknown>> {
    const body = new PassThrough();
    const size = 100_000;
    const blob: BlockBlobClient = container.getBlockBlobClient(name);
    const done = blob.upload(() => body, size);
    body.write(Buffer.alloc(size - 1));
    // Its time has whole seconds: whatever comes now is later.
    await delay(1_100);
    return async () => {
      body.end('x');
      await done;
    };
  }

  test('finds a large blob whose upload began before that of smaller ones and ended after it', async () => {
    const scan = startScan();
    await upload('before.txt');
    await scan.poll();
    const finish = await beginUpload('large.txt');
    await upload('small.txt');
    await scan.poll();
    expect(scan.queued).toEqual(['before.txt', 'small.txt']);

    await finish();
    const { lastModified } = await container.getBlobClient('large.txt').getProperties();
    const small = await container.getBlobClient('small.txt').getProperties();
    expect(lastModified?.getTime()).toBeLessThan(small.lastModified?.getTime() ?? 0);
    await scan.poll();
    await scan.poll();
    expect(scan.queued).toEqual(['before.txt', 'small.txt', 'large.txt']);
  });

  test('finds it when the host was started anew while it was under way', async () => {
    await upload('before.txt');
    await startScan().poll();
    const finish = await beginUpload('large.txt');
    await upload('small.txt');
    const second = startScan();
    await second.poll();
    await second.poll();
    expect(second.queued).toEqual(['small.txt']);

    await finish();
    const third = startScan();
    await third.poll();
    expect(third.queued).toEqual(['large.txt']);
  });

  test('finds staged blocks that are committed late, in the second of another blob and before it in the list', async () => {
    const scan = startScan();
    const late = container.getBlockBlobClient('a.txt');
    await late.stageBlock('MQ==', 'x'.repeat(1000), 1000);
    await upload('b.txt');
    await scan.poll();
    await eventually(async () => {
      await late.commitBlockList(['MQ==']);
      const [a, b] = await Promise.all([late.getProperties(), upload('b.txt')]);
      return a.lastModified?.getTime() === b.lastModified?.getTime() ? true : undefined;
    }, 'two blobs of one second');
    await scan.poll();
    expect(scan.queued).toEqual(['b.txt', 'a.txt', 'b.txt']);
  });

  test('finds what comes into a page that it has passed, at its next look', async () => {
    const scan = startScan(2);
    for (const name of ['b', 'd', 'f', 'h', 'j']) await upload(name);
    await scan.poll();
    const finish = await beginUpload('a');
    await upload('k');
    await scan.poll();
    await finish();
    await scan.poll();
    expect(scan.queued).toEqual(['b', 'd', 'f', 'h', 'j', 'k', 'a']);
  });

  test('tells of a blob once only, in one host and in the next', async () => {
    const scan = startScan();
    await upload('one.txt');
    for (let look = 0; look < 3; look += 1) await scan.poll();
    expect(scan.queued).toEqual(['one.txt']);
    const next = startScan();
    for (let look = 0; look < 3; look += 1) await next.poll();
    expect(next.queued).toEqual([]);
    await upload('one.txt');
    await next.poll();
    expect(next.queued).toEqual(['one.txt']);
  });
});
