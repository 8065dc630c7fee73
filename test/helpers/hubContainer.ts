import { Readable } from 'node:stream';

import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';

/** A container that jobs of a hub may read and write, for tests that start jobs of their own. */
export interface HubContainer {
  /** With a SAS. */
  readonly url: string;
  write(blobName: string, chunks: Iterable<string>): Promise<void>;
  read(blobName: string): Promise<string>;
}

export async function hubContainer(
  storage: string | BlobServiceClient,
  name = 'jobs-of-the-test',
): Promise<HubContainer> {
  const service = typeof storage === 'string' ? BlobServiceClient.fromConnectionString(storage) : storage;
  const container = service.getContainerClient(name);
  await container.createIfNotExists();
  const url = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse('rwdl'),
    expiresOn: new Date(Date.now() + 24 * 60 * 60_000),
  });
  return {
    url,
    async write(blobName, chunks) {
      const bytes = Readable.from(inPieces(chunks), { objectMode: false });
      await container.getBlockBlobClient(blobName).uploadStream(bytes, 4 * 1024 * 1024, 2);
    },
    async read(blobName) {
      const { readableStreamBody } = await container.getBlockBlobClient(blobName).download();
      const bytes = await Array.fromAsync((readableStreamBody ?? []) as AsyncIterable<Uint8Array>);
      return Buffer.concat(bytes).toString('utf8');
    },
  };
}

/** Thousands of lines a piece: a stream is slow at pieces of a line. */
function* inPieces(chunks: Iterable<string>): Generator<Buffer> {
  let piece = '';
  for (const chunk of chunks) {
    piece += chunk;
    if (piece.length < 1024 * 1024) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}
