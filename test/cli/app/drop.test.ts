/** Drops over a connection that loses replies: a proxy before real storage does what the test says. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../cli/app/connection.ts';
import { BLOCK_BYTES, dropFile, inspectFile, optionMetadata } from '../../../cli/app/drop.ts';
import { commandText } from '../../../cli/render/commandText.ts';
import { RUN_KINDS } from '../../../src/lib/runKinds.ts';
import { createRunStore } from '../../../src/lib/runs/runStore.ts';
import { createStorage } from '../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';

let azurite: Azurite;
let proxy: Server;
let connection: Connection;
let folder: string;
/** Replies to this many of the requests that make a blob appear are lost from now on. */
let toLose = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drop-'));
  azurite = await startAzurite();
  const target = new URL(azurite.blobUrl);
  proxy = createServer((incoming, reply) => void forward(target, incoming, reply));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const connectionString = azurite.connectionString.replace(target.host, `127.0.0.1:${port}`);
  const storage = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('no identity in this test');
  });
  await storage.container('provision').create();
  const runs = createRunStore(storage, () => new Date(), RUN_KINDS);
  connection = {
    storage,
    runs,
    provisionContainer: 'provision',
    isLocal: true,
    command: commandText,
    close: async () => undefined,
  };
});
afterAll(async () => {
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await azurite.stop();
  await rm(folder, { recursive: true });
});

async function forward(target: URL, incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
  const { method, headers, url = '' } = incoming;
  const sent = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
    if (method === 'PUT' && !url.includes('comp=block&') && toLose > 0) {
      toLose -= 1;
      answer.resume().on('end', () => reply.destroy());
      return;
    }
    reply.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(reply);
  });
  sent.on('error', () => reply.destroy());
  incoming.pipe(sent);
}

async function drop(batch: string, content: string) {
  const path = join(folder, `${batch}.txt`);
  await writeFile(path, content);
  const file = await inspectFile(path);
  const metadata = optionMetadata({ dryRun: true }, '1.2.3', undefined);
  const dropped = await dropFile(connection, { file, batch, metadata, signal: new AbortController().signal });
  const blob = connection.storage.container('provision').getBlockBlobClient(dropped.blobName);
  return { etag: dropped.etag, there: await blob.getProperties() };
}

describe('an upload whose reply is lost', () => {
  it.each([
    ['one request', 1, '{"id":"a"}\n'],
    ['many requests', 1, `{"id":"a"}\n`.repeat(Math.ceil(BLOCK_BYTES / 11) + 1)],
    ['one request, and all its repetitions', 4, '{"id":"a"}\n'],
  ])('in %s is known again', async (_what, replies, content) => {
    toLose = replies;
    const { etag, there } = await drop(`b${replies}-${content.length}`, content);
    expect(toLose).toBe(0);
    expect(etag).toBe(there.etag);
    expect(there.metadata).toMatchObject({ hubkeeper: expect.stringMatching(/^cli\/1\.2\.3\//), dryrun: 'true' });
  });

  it('is not taken for the same file that somebody else dropped before', async () => {
    await drop('same', '{"id":"a"}\n');
    toLose = 1;
    await expect(drop('same', '{"id":"a"}\n')).rejects.toThrow('holds provision/same/devices.txt already');
    toLose = 0;
  });
});
