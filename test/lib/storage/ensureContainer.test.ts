/** Through a proxy that notes what the storage answered. */

import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ensureContainer } from '../../../src/lib/storage/ensureContainer.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';

let azurite: Azurite;
let proxy: Server;
let service: BlobServiceClient;
const replies: string[] = [];

beforeAll(async () => {
  azurite = await startAzurite();
  const { port: target } = new URL(azurite.blobUrl);
  proxy = createServer((incoming, outgoing) => {
    const { method = '', url: path = '', headers } = incoming;
    const onward = request({ host: '127.0.0.1', port: target, method, path, headers }, (reply) => {
      replies.push(`${method} ${reply.statusCode}`);
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  service = BlobServiceClient.fromConnectionString(azurite.connectionString.replace(`:${target}/`, `:${port}/`));
});
afterAll(async () => {
  proxy.close();
  await azurite.stop();
});
beforeEach(() => {
  replies.length = 0;
});

test('a container that is there is looked at only, and no conflict is caused', async () => {
  const container = service.getContainerClient('there');
  await container.create();
  replies.length = 0;
  await ensureContainer(container);
  await ensureContainer(container);
  expect(replies).toEqual(['GET 200', 'GET 200']);
});

test('a missing container is made, and made again when it was deleted', async () => {
  const container = service.getContainerClient('missing');
  await ensureContainer(container);
  expect(replies).toEqual(['GET 404', 'PUT 201']);
  await container.delete();
  await ensureContainer(container);
  expect(await container.exists()).toBe(true);
});

test('many may want it at the same moment', async () => {
  const container = service.getContainerClient('wanted');
  await Promise.all(Array.from({ length: 5 }, () => ensureContainer(container)));
  expect(await container.exists()).toBe(true);
});
