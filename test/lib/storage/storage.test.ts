import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { inspect } from 'node:util';

import { BlobServiceClient, ContainerClient, type RestError } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { safeError } from '../../../src/lib/redact.ts';
import { createBlockWriter } from '../../../src/lib/storage/blockWriter.ts';
import { containerUriWithSas, validity } from '../../../src/lib/storage/containerSas.ts';
import { keepFirst, makeOnce, readJson, writeJson } from '../../../src/lib/storage/jsonBlob.ts';
import { linesOf } from '../../../src/lib/storage/ndjson.ts';
import { createStorage, type Storage } from '../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';

let azurite: Azurite;
let storage: Storage;
let container: ContainerClient;

beforeAll(async () => {
  azurite = await startAzurite();
  storage = createStorage({ kind: 'connectionString', connectionString: azurite.connectionString }, () => {
    throw new Error('a connection string needs no credential');
  });
  container = storage.container('work');
  await container.create();
});
afterAll(() => azurite.stop());

/** Hands requests on to a port of this machine, with the first byte of a block changed. */
async function startDamagingProxy(target: string): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((incoming, reply) => {
    const { method, url, headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port: target, method, path: url, headers }, (answer) => {
      reply.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(reply);
    });
    let isFirst = url?.includes('comp=block&') === true;
    incoming.on('data', (chunk: Buffer) => {
      if (isFirst) chunk[0] = (chunk[0] ?? 0) ^ 1;
      isFirst = false;
      outgoing.write(chunk);
    });
    incoming.on('end', () => outgoing.end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    port: address.port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('the block writer', () => {
  it('puts its sections one after another, whatever the order they were written in', async () => {
    const blob = container.getBlockBlobClient('sections.txt');
    const writer = createBlockWriter(blob, 2);
    for (let i = 0; i < 5; i++) {
      writer.writeLine(1, `module ${i}`);
      writer.writeLine(0, Buffer.from(`device ${i} ä`));
    }
    await writer.commit('text/plain');
    const text = (await blob.downloadToBuffer()).toString('utf8');
    const expected = ['device', 'module'].flatMap((kind) =>
      [0, 1, 2, 3, 4].map((i) => `${kind} ${i}${kind === 'device' ? ' ä' : ''}\n`),
    );
    expect(text).toBe(expected.join(''));
  });

  it('writes more than a block holds, and a line longer than a block, without losing a byte', async () => {
    const blob = container.getBlockBlobClient('large.txt');
    const writer = createBlockWriter(blob);
    const lines = ['x'.repeat(5 * 1024 * 1024), ...Array.from({ length: 60_000 }, (_, i) => `${i} ${'y'.repeat(100)}`)];
    for (const line of lines) {
      writer.writeLine(0, line);
      await writer.drain();
    }
    await writer.commit('text/plain');
    const read = await Array.fromAsync(linesOf(blob));
    expect(read.length).toBe(lines.length);
    expect(read.every((line, i) => line === lines[i])).toBe(true);
  });

  it('has storage refuse a block that was damaged on its way', async () => {
    const { port, close } = await startDamagingProxy(new URL(container.url).port);
    try {
      const { connectionString } = azurite;
      const damaged = createStorage(
        {
          kind: 'connectionString',
          connectionString: connectionString.replace(/(BlobEndpoint=[^;]*:)\d+/, `$1${port}`),
        },
        () => {
          throw new Error('a connection string needs no credential');
        },
      );
      const writer = createBlockWriter(damaged.container('work').getBlockBlobClient('damaged.txt'));
      writer.writeLine(0, 'one line');
      await expect(writer.commit('text/plain')).rejects.toMatchObject({ statusCode: 400 });
      expect(await container.getBlockBlobClient('damaged.txt').exists()).toBe(false);
    } finally {
      await close();
    }
  });

  it('commits an empty blob when nothing was written', async () => {
    const blob = container.getBlockBlobClient('empty.txt');
    await createBlockWriter(blob).commit('text/plain');
    expect((await blob.getProperties()).contentLength).toBe(0);
  });

  it('lets two attempts write the same blob: the first commit stands or the second, never a mixture', async () => {
    const blob = container.getBlockBlobClient('twice.txt');
    const attempts = ['a', 'b'].map(async (letter) => {
      const writer = createBlockWriter(blob);
      for (let i = 0; i < 100; i++) writer.writeLine(0, letter.repeat(50_000));
      await writer.commit('text/plain');
    });
    await Promise.allSettled(attempts);
    const letters = new Set((await blob.downloadToBuffer()).toString('utf8').replaceAll('\n', ''));
    expect(letters.size).toBe(1);
  });
});

describe('JSON blobs', () => {
  it('are written once when they must be new, and only over the version that was read', async () => {
    const blob = container.getBlockBlobClient('doc.json');
    expect(await readJson(blob)).toBeUndefined();
    const written = await writeJson(blob, { n: 1 }, { ifAbsent: true });
    expect(await writeJson(blob, { n: 2 }, { ifAbsent: true })).toBeUndefined();
    const first = await readJson<{ n: number }>(blob);
    expect(first).toEqual({ value: { n: 1 }, etag: written });
    expect(await writeJson(blob, { n: 3 }, { ifMatch: first?.etag ?? '' })).toBeDefined();
    expect(await writeJson(blob, { n: 4 }, { ifMatch: first?.etag ?? '' })).toBeUndefined();
    expect((await readJson(blob))?.value).toEqual({ n: 3 });
  });

  it('are the same for all attempts that want to keep one, whoever is first', async () => {
    const blob = container.getBlockBlobClient('kept.json');
    const kept = await Promise.all([1, 2, 3, 4, 5].map((n) => keepFirst(blob, { n })));
    expect(new Set(kept.map(({ n }) => n)).size).toBe(1);
    expect((await readJson(blob))?.value).toEqual(kept[0]);
    expect(await keepFirst(blob, { n: 6 })).toEqual(kept[0]);
  });

  it('are made once: not where one is kept already, and by a race all get that of the winner', async () => {
    const blob = container.getBlockBlobClient('made.json');
    const made = await Promise.all([1, 2, 3].map((n) => makeOnce(blob, async () => ({ n }))));
    expect(new Set(made.map(({ n }) => n)).size).toBe(1);
    const unneeded = () => Promise.reject(new Error('made although it is there'));
    expect(await makeOnce(blob, unneeded)).toEqual(made[0]);
  });

  it('that are deleted between a write and the look at the winner are written after all', async () => {
    const blob = container.getBlockBlobClient('vanishing.json');
    await writeJson(blob, { n: 1 });
    const vanishing = Object.assign(Object.create(blob) as typeof blob, {
      download: async (...args: Parameters<typeof blob.download>) => {
        await blob.deleteIfExists();
        return blob.download(...args);
      },
    });
    expect(await keepFirst(vanishing, { n: 2 })).toEqual({ n: 2 });
    expect((await readJson(blob))?.value).toEqual({ n: 2 });
  });
});

describe('the signature for a job', () => {
  it('opens its own container, as far as it says, and no other', async () => {
    const other = storage.container('other');
    await other.create();
    await other.getBlockBlobClient('secret.txt').upload('x', 1);
    await container.getBlockBlobClient('mine.txt').upload('x', 1);
    const now = new Date();
    const uri = await containerUriWithSas(storage, container, {
      permissions: 'r',
      now,
      expiresOn: new Date(now.getTime() + 60_000),
    });
    const reader = new ContainerClient(uri);
    expect((await reader.getBlockBlobClient('mine.txt').downloadToBuffer()).toString()).toBe('x');
    await expect(reader.getBlockBlobClient('mine.txt').upload('y', 1)).rejects.toMatchObject({ statusCode: 403 });
    const query = uri.slice(uri.indexOf('?'));
    await expect(
      new ContainerClient(other.url + query).getBlockBlobClient('secret.txt').downloadToBuffer(),
    ).rejects.toMatchObject({ statusCode: 403 });
    expect(BlobServiceClient.fromConnectionString(azurite.connectionString).accountName).toBe(storage.accountName);
  });
});

describe('how long a signature holds', () => {
  const now = new Date('2026-11-20T02:00:00Z');
  const in7Days = new Date('2026-11-27T02:00:00Z');
  it('is as long as asked for with the key of the account', () => {
    expect(validity(now, in7Days, undefined)).toEqual({
      startsOn: new Date('2026-11-20T01:45:00Z'),
      expiresOn: in7Days,
    });
  });
  it('is never more than the seven days that a user delegation key may last, the skew included', () => {
    const { startsOn, expiresOn } = validity(now, in7Days, 7 * 24 * 3_600_000);
    expect(expiresOn.getTime() - startsOn.getTime()).toBe(7 * 24 * 3_600_000);
  });
});

describe('an error of the storage SDK', () => {
  it.each(['404', 'refused connection'])('(%s) tells what happened without the signature in its URL', async (kind) => {
    const signature = 'c2lnbmF0dXJlLW9mLXRoZS1jb250YWluZXItMDAwMQ==';
    const base = kind === '404' ? `${azurite.blobUrl}/none` : 'http://127.0.0.1:1/devstoreaccount1/none';
    const client = new ContainerClient(
      `${base}?sv=2026-01-01&sr=c&sp=r&sig=${encodeURIComponent(signature)}`,
      undefined,
      {
        retryOptions: { maxTries: 1 },
      },
    );
    const error: unknown = await client
      .getBlockBlobClient('x')
      .downloadToBuffer()
      .catch((thrown: unknown) => thrown);
    expect((error as RestError).request?.url).toContain('c2lnbmF0dXJl');
    const told = inspect(safeError(error), { depth: 10, showHidden: true });
    expect(told).not.toContain('c2lnbmF0dXJl');
    expect(told).toMatch(kind === '404' ? /AuthorizationFailure|RestError/ : /ECONNREFUSED/);
  });
});
