import { QueueServiceClient } from '@azure/storage-queue';
import { expect, it } from 'vitest';

import { type TestStack, withStack } from '../helpers/stack.ts';

const HOST_ID = 'once';

/** Puts `times` messages into the queue of the blob trigger, as the host does at each sighting of a blob. */
async function fire(stack: TestStack, hostId: string, blobName: string, times: number): Promise<void> {
  const { etag } = await stack.blobs.getContainerClient('provision').getBlockBlobClient(blobName).getProperties();
  const queue = QueueServiceClient.fromConnectionString(stack.storageConnectionString).getQueueClient(
    `azure-webjobs-blobtrigger-${hostId}`,
  );
  await queue.createIfNotExists();
  const message = JSON.stringify({
    Type: 'BlobTrigger',
    FunctionId: 'Host.Functions.provisionOnBlob',
    BlobType: 'BlockBlob',
    ContainerName: 'provision',
    BlobName: blobName,
    ETag: etag,
  });
  await Promise.all(Array.from({ length: times }, () => queue.sendMessage(Buffer.from(message).toString('base64'))));
  await stack.until('the queue of the trigger to be empty', async () => {
    const { approximateMessagesCount } = await queue.getProperties();
    return approximateMessagesCount === 0;
  });
}

it('a drop fired forty times makes one run; after its end, after a purge of the history and under a new host id, none', async () => {
  await withStack({ hostArgs: ['--host-id', HOST_ID] }, async (stack) => {
    const text = Array.from({ length: 50 }, (_, i) => `{"id":"once-${i}","importMode":"create"}`).join('\n');
    await stack.drop('once/devices.txt', text);
    await fire(stack, HOST_ID, 'once/devices.txt', 40);
    const record = await stack.finalRecord('once/devices.txt');
    expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: 50 } });
    const runs = async () => {
      const names: string[] = [];
      for await (const blob of stack.blobs.getContainerClient('hubkeeper-runs').listBlobsFlat()) names.push(blob.name);
      return names;
    };
    const unchanged = async () => {
      expect(await runs()).toEqual([`${record.runId}.json`]);
      expect(await stack.recordOf('once/devices.txt')).toEqual(record);
      expect((await stack.hubState()).jobs.importsCreated).toBe(1);
    };
    await unchanged();

    await fire(stack, HOST_ID, 'once/devices.txt', 5);
    await unchanged();

    const instances = new URL('/runtime/webhooks/durabletask/instances/', stack.adminUrl);
    await stack.until('the orchestration to end', async () => {
      const status = (await (await fetch(new URL(record.runId, instances))).json()) as { runtimeStatus: string };
      return status.runtimeStatus === 'Completed';
    });
    const purged = await fetch(new URL(record.runId, instances), { method: 'DELETE' });
    expect(await purged.json()).toEqual({ instancesDeleted: 1 });
    await fire(stack, HOST_ID, 'once/devices.txt', 5);
    await unchanged();

    // A new host id knows no receipts: the host itself finds the blob and fires.
    await stack.restartHost({ args: ['--host-id', 'renamed'] });
    await stack.until('the new host to fire for the old drop', async () =>
      (await stack.hostLog()).includes(`no run started: final (run ${record.runId})`),
    );
    await fire(stack, 'renamed', 'once/devices.txt', 3);
    await unchanged();
  });
});
