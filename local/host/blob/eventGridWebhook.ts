import type { HttpRequestLike, HttpResponseLike } from '../contracts.ts';
import type { HostLog } from '../log.ts';
import { type BlobFunction, bareETag } from './blobTrigger.ts';
import type { TriggerQueue } from './triggerQueue.ts';

/** Answers `POST /runtime/webhooks/blobs?functionName=Host.Functions.<name>`. */
export type BlobWebhook = (request: HttpRequestLike) => Promise<HttpResponseLike>;

interface EventGridEvent {
  readonly eventType?: string;
  readonly data?: {
    readonly url?: string;
    readonly eTag?: string;
    readonly blobType?: string;
    readonly validationCode?: string;
  };
}

/**
 * The webhook of blob functions with `source: 'EventGrid'`, in the Event Grid schema
 * (https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage). Blobs that are there before are never seen.
 */
export function createBlobWebhook(functions: readonly BlobFunction[], queue: TriggerQueue, log: HostLog): BlobWebhook {
  return async (request) => {
    if (request.method !== 'POST') {
      return { status: 404 };
    }
    const functionId = new URL(request.url, 'http://host').searchParams.get('functionName');
    const target = functions.find((candidate) => candidate.functionId === functionId);
    if (target === undefined) {
      return { status: 404, body: `No function "${functionId}" with an Event Grid source.` };
    }
    let events: unknown;
    try {
      events = JSON.parse(Buffer.from(request.body).toString('utf8'));
    } catch {
      events = undefined;
    }
    if (!Array.isArray(events)) {
      return { status: 400, body: 'The body must be a JSON array of events in the Event Grid schema.' };
    }
    const kind = request.headers['aeg-event-type']?.toLowerCase();
    const [first] = events as EventGridEvent[];
    if (kind === 'subscriptionvalidation') {
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ validationResponse: first?.data?.validationCode }),
      };
    }
    for (const event of events as EventGridEvent[]) {
      await accept(target, event);
    }
    return { status: 202 };
  };

  async function accept(target: BlobFunction, event: EventGridEvent): Promise<void> {
    const { eventType, data } = event;
    if (eventType !== 'Microsoft.Storage.BlobCreated' || data?.url === undefined) {
      return;
    }
    const place = blobPlace(data.url, target);
    if (place === undefined || target.path.match(place.container, place.blobName) === undefined) {
      log('debug', target.name, 'An event for a blob that does not match the path was left out.');
      return;
    }
    await queue.enqueue({
      Type: 'BlobTrigger',
      FunctionId: target.functionId,
      BlobType: data.blobType ?? 'BlockBlob',
      ContainerName: place.container,
      BlobName: place.blobName,
      ETag: bareETag(data.eTag ?? ''),
    });
  }
}

/** Container and blob of a URL; the account's own path (Azurite has its name there) comes off first. */
function blobPlace(
  url: string,
  target: BlobFunction,
): { readonly container: string; readonly blobName: string } | undefined {
  const base = new URL(target.connection.blobs().url).pathname.replace(/\/$/, '');
  if (!URL.canParse(url)) {
    return undefined;
  }
  const path = new URL(url).pathname;
  const inAccount = base !== '' && path.startsWith(`${base}/`) ? path.slice(base.length) : path;
  const match = /^\/([^/]+)\/(.+)$/.exec(inAccount);
  return match === null ? undefined : { container: match[1] ?? '', blobName: decodeURIComponent(match[2] ?? '') };
}
