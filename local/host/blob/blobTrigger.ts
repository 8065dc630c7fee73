import type { StorageConnection } from '../connections.ts';
import type { LoadedFunction } from '../contracts.ts';
import { type BlobPath, parseBlobPath } from './blobPath.ts';

/** A blob function with its options read. */
export interface BlobFunction {
  readonly name: string;
  /** `Host.Functions.<name>`: how receipts and messages name the function. */
  readonly functionId: string;
  readonly bindingName: string;
  readonly path: BlobPath;
  readonly connection: StorageConnection;
  readonly source: 'LogsAndContainerScan' | 'EventGrid';
  /** The handler gets a client for the blob, not its content. */
  readonly sdkBinding: boolean;
}

/** Reads the options of a blob trigger from its resolved binding. @throws Error saying which option is wrong. */
export function blobFunction(
  loaded: LoadedFunction,
  binding: Readonly<Record<string, unknown>>,
  connect: (name: string | undefined) => StorageConnection,
): BlobFunction {
  const { path, connection, source = 'LogsAndContainerScan', sdkBinding = false } = binding;
  if (typeof path !== 'string' || path === '') {
    throw new Error(`"path" must be a container, or a container and a pattern, not ${JSON.stringify(path)}`);
  }
  if (connection !== undefined && typeof connection !== 'string') {
    throw new Error(`"connection" must be the name of an app setting, not ${JSON.stringify(connection)}`);
  }
  if (source !== 'LogsAndContainerScan' && source !== 'EventGrid') {
    throw new Error(`"source" must be "LogsAndContainerScan" or "EventGrid", not ${JSON.stringify(source)}`);
  }
  const blobPath = parseBlobPath(path);
  const storage = connect(connection);
  // Both services are needed: blobs to read, queues for what fails five times. Better now than at the first blob.
  storage.blobs();
  storage.queues();
  return {
    name: loaded.name,
    functionId: `Host.Functions.${loaded.name}`,
    bindingName: loaded.triggerBindingName,
    path: blobPath,
    connection: storage,
    source,
    sdkBinding: sdkBinding === true,
  };
}

/** ETags come quoted in headers and bare in listings. */
export function bareETag(etag: string): string {
  return etag.replace(/^"(.*)"$/, '$1');
}
