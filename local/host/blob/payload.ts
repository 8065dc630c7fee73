import type { BlobClient, BlobGetPropertiesResponse } from '@azure/storage-blob';
import type { InvocationRequest, TypedData } from '../contracts.ts';
import type { BlobFunction } from './blobTrigger.ts';
import { downloadAll } from './download.ts';

export interface BlobInvocation {
  readonly target: BlobFunction;
  readonly container: string;
  readonly blobName: string;
  readonly blob: BlobClient;
  readonly properties: BlobGetPropertiesResponse;
  /** Values of the path's tokens. */
  readonly tokens: Readonly<Record<string, string>>;
}

const blobTypes: Readonly<Record<string, number>> = { BlockBlob: 0, PageBlob: 1, AppendBlob: 2 };

/**
 * What a blob function gets: the content, or what a client is made from, and the trigger's metadata under the names
 * that .NET gives them (azure-sdk-for-net, Storage.Blobs, BlobTriggerBinding.cs). The library changes the case of the
 * first letters and parses texts that are JSON; neither is done here.
 */
export async function blobInvocationRequest(invocation: BlobInvocation): Promise<InvocationRequest> {
  const { target, container, blobName, blob, properties, tokens } = invocation;
  const input = target.sdkBinding ? modelBindingData(target, container, blobName) : { bytes: await downloadAll(blob) };
  const json = (value: unknown): TypedData => ({ json: JSON.stringify(value) });
  return {
    inputs: { [target.bindingName]: input },
    triggerMetadata: {
      BlobTrigger: { string: `${container}/${blobName}` },
      Uri: json(blob.url.replace(/\?.*/, '')),
      Properties: json(dotNetProperties(properties)),
      Metadata: json(properties.metadata ?? {}),
      ...Object.fromEntries(Object.entries(tokens).map(([name, value]) => [name, { string: value }])),
    },
  };
}

/** .NET's BlobProperties as JSON, as far as a storage account fills them for a plain blob. */
function dotNetProperties(properties: BlobGetPropertiesResponse): Record<string, unknown> {
  return {
    LastModified: properties.lastModified?.toISOString(),
    CreatedOn: properties.createdOn?.toISOString(),
    Metadata: properties.metadata ?? {},
    BlobType: blobTypes[properties.blobType ?? 'BlockBlob'] ?? 0,
    ContentLength: properties.contentLength,
    ContentType: properties.contentType,
    ETag: properties.etag,
    ContentHash: properties.contentMD5 && Buffer.from(properties.contentMD5).toString('base64'),
    ContentEncoding: properties.contentEncoding ?? null,
    ContentDisposition: properties.contentDisposition ?? null,
    ContentLanguage: properties.contentLanguage ?? null,
    CacheControl: properties.cacheControl ?? null,
    AccessTier: properties.accessTier ?? null,
  };
}

function modelBindingData(target: BlobFunction, container: string, blobName: string): TypedData {
  const content = { Connection: target.connection.name, ContainerName: container, BlobName: blobName };
  return {
    modelBindingData: {
      version: '1.0',
      source: 'AzureStorageBlobs',
      contentType: 'application/json',
      content: Buffer.from(JSON.stringify(content), 'utf8'),
    },
  };
}
