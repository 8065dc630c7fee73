import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { type HostProcess, startHost } from '../../../helpers/hostProcess.ts';
import { fixtureApp, type Note, type Notes, notesIn } from '../notes.ts';

describe('the blob trigger', () => {
  let azurite: Azurite;
  let blobs: BlobServiceClient;
  let queues: QueueServiceClient;
  let directory: string;
  let notes: Notes;
  let prefix: string;
  let hostId: string;
  let host: HostProcess | undefined;
  let tests = 0;

  beforeAll(async () => {
    azurite = await startAzurite();
    blobs = BlobServiceClient.fromConnectionString(azurite.connectionString);
    queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
  });
  afterAll(() => azurite.stop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'blobs-'));
    notes = notesIn(join(directory, 'notes'));
    prefix = `t${++tests}-`;
    hostId = `blobs-${tests}`;
  });
  afterEach(async () => {
    expect((await host?.stop()) ?? 0).toBe(0);
    host = undefined;
    await rm(directory, { recursive: true });
  });

  async function start(args: string[] = []): Promise<HostProcess> {
    host = await startHost(fixtureApp('blobs'), {
      args: ['--host-id', hostId, '--blob-scan-ms', '100', ...args],
      data: join(directory, 'data'),
      env: {
        AzureWebJobsStorage: azurite.connectionString,
        Uploads: azurite.connectionString,
        PREFIX: prefix,
        BLOB_NOTES: join(directory, 'notes'),
        BLOB_RELEASE: join(directory, 'release'),
      },
    });
    return host;
  }

  async function container(name: string): Promise<ContainerClient> {
    const client = blobs.getContainerClient(`${prefix}${name}`);
    await client.createIfNotExists();
    return client;
  }

  async function upload(name: string, text: string, metadata: Record<string, string> = {}): Promise<string> {
    const blob = (await container('incoming')).getBlockBlobClient(name);
    const { etag } = await blob.upload(text, Buffer.byteLength(text), {
      metadata,
      blobHTTPHeaders: { blobContentType: 'text/plain' },
    });
    return (etag ?? '').replaceAll('"', '');
  }

  const of = (name: string, text: string) => (note: Note) => note.name === name && note['text'] === text;

  const triggerQueue = () => queues.getQueueClient(`azure-webjobs-blobtrigger-${hostId}`);

  const message = (blobName: string, etag: string) => ({
    Type: 'BlobTrigger',
    FunctionId: 'Host.Functions.incoming',
    BlobType: 'BlockBlob',
    ContainerName: `${prefix}incoming`,
    BlobName: blobName,
    ETag: etag,
  });

  async function enqueue(value: unknown): Promise<void> {
    await triggerQueue().createIfNotExists();
    await triggerQueue().sendMessage(Buffer.from(JSON.stringify(value)).toString('base64'));
  }

  const queueIsEmpty = () =>
    eventually(async () => {
      const { approximateMessagesCount } = await triggerQueue().getProperties();
      return approximateMessagesCount === 0 ? true : undefined;
    }, 'empty queue');

  test('gives content and metadata of blobs that were there before the first start', async () => {
    const etag = await upload('2026/7.txt', 'seven', { Mode: 'create' });
    await start();
    const [note] = await notes.atLeast(1, of('incoming', 'seven'));
    expect(note).toMatchObject({
      isBuffer: true,
      triggerMetadata: {
        blobTrigger: `${prefix}incoming/2026/7.txt`,
        uri: `${azurite.blobUrl}/${prefix}incoming/2026/7.txt`,
        // Names of user metadata lose the case of their first letter too.
        metadata: { mode: 'create' },
        // Tokens that look like JSON are parsed by the library.
        folder: 2026,
        name: 7,
        extension: 'txt',
        properties: { eTag: `"${etag}"`, contentLength: 5, contentType: 'text/plain', blobType: 0 },
      },
    });
  });

  test('leaves alone what does not match the path', async () => {
    await upload('no-folder.txt', 'unmatched');
    await upload('folder/no-extension', 'unmatched too');
    await upload('folder/a.txt', 'matched');
    await start();
    await notes.atLeast(1, of('incoming', 'matched'));
    await queueIsEmpty();
    expect((await notes.all()).map((note) => note['text'])).toEqual(['matched']);
  });

  test('waits for a container that does not exist yet', async () => {
    const { log } = await start();
    const line = `Container "${prefix}incoming" does not exist yet`;
    await log.waitFor((text) => text.includes(line), 'line about the container');
    await upload('a/b.txt', 'late');
    await notes.atLeast(1, of('incoming', 'late'));
    expect(log.text().split(line)).toHaveLength(2);
  });

  test('fires once for a version over restarts, and again for a new one', async () => {
    await upload('a/b.txt', 'one');
    await start();
    await notes.atLeast(1, of('incoming', 'one'));
    await queueIsEmpty();
    await host?.stop();

    await start();
    await upload('a/c.txt', 'other');
    await notes.atLeast(1, of('incoming', 'other'));
    expect((await notes.all()).map((note) => note['text'])).toEqual(['one', 'other']);

    await upload('a/b.txt', 'two');
    await notes.atLeast(1, of('incoming', 'two'));
    await queueIsEmpty();
    expect((await notes.all()).map((note) => note['text'])).toEqual(['one', 'other', 'two']);
  });

  test('fires for a receipt that a crash left incomplete', async () => {
    const etag = await upload('a/b.txt', 'unfinished');
    await blobs.getContainerClient('azure-webjobs-hosts').createIfNotExists();
    await blobs
      .getContainerClient('azure-webjobs-hosts')
      .getBlockBlobClient(`blobreceipts/${hostId}/Host.Functions.incoming/${etag}/${prefix}incoming/a/b.txt`)
      .upload('', 0, { metadata: { Incomplete: 'true' } });
    await start();
    await notes.atLeast(1, of('incoming', 'unfinished'));
  });

  test('tries a failing blob five times, then puts its message into the poison queue', async () => {
    const etag = await upload('a/fails.txt', 'bad');
    await start();
    const poison = queues.getQueueClient('webjobs-blobtrigger-poison');
    const received = await eventually(async () => {
      const answer = await poison.receiveMessages().catch(() => undefined);
      return answer?.receivedMessageItems[0];
    }, 'poison message');
    expect(JSON.parse(Buffer.from(received.messageText, 'base64').toString())).toEqual(message('a/fails.txt', etag));
    await queueIsEmpty();
    expect((await notes.all()).filter(of('incoming', 'bad'))).toHaveLength(5);
    expect(host?.log.text()).toContain('failed 5 times and goes to the poison queue');
  });

  test('ignores a blob that was deleted before its turn', async () => {
    await container('incoming');
    await enqueue(message('a/gone.txt', '0x1'));
    const { log } = await start();
    await log.waitFor((text) => text.includes(`"${prefix}incoming/a/gone.txt" was deleted before its turn`), 'line');
    await queueIsEmpty();
    expect(await notes.all()).toEqual([]);
  });

  test('drops the message of a version that is no longer there', async () => {
    await upload('a/b.txt', 'current');
    await enqueue(message('a/b.txt', '0xOLD'));
    await start();
    await notes.atLeast(1, of('incoming', 'current'));
    // The scan takes blobs by name: when this one has had its turn, the other has had all of its.
    await upload('a/c.txt', 'later');
    await notes.atLeast(1, of('incoming', 'later'));
    await queueIsEmpty();
    expect((await notes.all()).map((note) => note['text'])).toEqual(['current', 'later']);
  });

  test('fires again when the host was killed in the middle of a handler', async () => {
    await upload('a/hangs.txt', 'long work');
    const first = await start();
    await notes.atLeast(1, of('incoming', 'long work'));
    await first.kill();
    await writeFile(join(directory, 'release'), '');
    await start();
    await notes.atLeast(2, of('incoming', 'long work'), 30_000);
    await queueIsEmpty();
  });

  test('gives a client factory the place of the blob when sdkBinding is set', async () => {
    const blob = (await container('clients')).getBlockBlobClient('a/b c.txt');
    await blob.upload('x', 1);
    await start();
    const [note] = await notes.atLeast(1, ({ name }) => name === 'byClient');
    expect(note?.['client']).toEqual({
      version: '1.0',
      contentType: 'application/json',
      content: { Connection: 'Uploads', ContainerName: `${prefix}clients`, BlobName: 'a/b c.txt' },
    });
  });

  test('runs for Event Grid events, and only for them, with that source', async () => {
    const events = await container('events');
    for (const name of ['seen.txt', 'unseen.txt']) {
      await events.getBlockBlobClient(name).upload(name, name.length);
    }
    const { baseUrl } = await start();
    const post = (functionName: string, kind: string, body: unknown) =>
      fetch(`${baseUrl}/runtime/webhooks/blobs?functionName=Host.Functions.${functionName}`, {
        method: 'POST',
        headers: { 'aeg-event-type': kind, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });

    const handshake = await post('byEvent', 'SubscriptionValidation', [{ data: { validationCode: 'abc' } }]);
    expect(await handshake.json()).toEqual({ validationResponse: 'abc' });
    expect((await post('incoming', 'Notification', [])).status).toBe(404);
    expect((await post('byEvent', 'Notification', 'no list')).status).toBe(400);
    const created = { eventType: 'Microsoft.Storage.BlobCreated' };
    const answer = await post('byEvent', 'Notification', [
      { eventType: 'Microsoft.Storage.BlobDeleted', data: { url: `${events.url}/unseen.txt` } },
      { ...created, data: { url: `${azurite.blobUrl}/elsewhere/unseen.txt` } },
      { ...created, data: { url: `${events.url}/seen.txt`, eTag: '0x1', blobType: 'BlockBlob' } },
    ]);
    expect(answer.status).toBe(202);
    await notes.atLeast(1, of('byEvent', 'seen.txt'));
    await queueIsEmpty();
    expect((await notes.all()).map((note) => note['blob'])).toEqual([`${prefix}events/seen.txt`]);
  });

  test('delivers twice and again in unkind mode, and loses nothing', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `blob ${index}`);
    for (const [index, name] of names.entries()) {
      await upload(`a/f${index}.txt`, name);
    }
    await start(['--unkind=1']);
    for (const name of names) {
      await notes.atLeast(1, of('incoming', name));
    }
    // Some came more than once already; a receipt that is forgotten brings back more of them.
    await notes.atLeast(names.length * 2, ({ name }) => name === 'incoming', 30_000);
    const texts = new Set((await notes.all()).map((note) => note['text']));
    expect(texts).toEqual(new Set(names));
  });
});
