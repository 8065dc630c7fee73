/** `POST /devices/query`: the registry in the hub's SQL, page by page, and its counts. */

import { defined } from '../defined.ts';
import { RefusedInputError } from '../errors.ts';
import { callText } from './callTexts.ts';
import { asNumber, asObject, type JsonObject } from './reader.ts';
import { getRequest } from './requests.ts';
import type { CallOptions, HubReply, HubRequest, Transport } from './transport.ts';

/** Hubs answer a longer text with PreconditionFailed (azure-iot-sdk-csharp issue 1680). */
export const MAX_QUERY_LENGTH = 8192;

/** A text as a literal of the query language. */
export function queryLiteral(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}

export interface QueryPage {
  /** Twins for `SELECT *`, else rows of the projection. `parseTwin` reads the former. */
  readonly items: readonly JsonObject[];
  /** `Twin`, `Raw` or `DeviceJob`, as the hub says. */
  readonly itemType?: string;
  /** To go on from here later; absent on the last page. */
  readonly continuation?: string;
}

export interface PageOptions {
  /** Rows on a page; the hub may give fewer. */
  readonly maxItems?: number;
  /** Of an earlier page. */
  readonly continuation?: string;
}

/** Rows one by one, or page by page. Each iteration starts anew. */
export interface HubQuery extends AsyncIterable<JsonObject> {
  byPage(options?: PageOptions): AsyncIterable<QueryPage>;
}

export interface RegistryStatistics {
  readonly totalDeviceCount: number;
  readonly enabledDeviceCount: number;
  readonly disabledDeviceCount: number;
}

export interface QueryOperations {
  /** The index behind queries lags a second or two, and deleted devices may show for many minutes. */
  query(text: string, options?: CallOptions): HubQuery;
  /** Devices by the query index. */
  countDevices(options?: CallOptions): Promise<number>;
  /** Devices by the registry's own statistics, which lag too. */
  getRegistryStatistics(options?: CallOptions): Promise<RegistryStatistics>;
  getServiceStatistics(options?: CallOptions): Promise<{ readonly connectedDeviceCount: number }>;
}

export function createQueryOperations(transport: Transport): QueryOperations {
  const statistics = async (which: string, options: CallOptions): Promise<(name: string) => number> => {
    const request = getRequest(`read the ${which} statistics`, ['statistics', which], options);
    const body = asObject((await transport.send(request)).body);
    return (name) => {
      const count = asNumber(body?.[name]);
      if (count === undefined) throw transport.invalid(request, `has no ${name}`);
      return count;
    };
  };
  return {
    query: (text, options = {}) => createQuery(transport, text, options),
    async countDevices(options = {}) {
      for await (const row of createQuery(transport, 'SELECT COUNT() AS n FROM devices', options)) {
        const count = asNumber(row.n);
        if (count !== undefined) return count;
      }
      throw transport.invalid({ operation: 'count the devices', writes: false }, 'holds no count');
    },
    async getRegistryStatistics(options = {}) {
      const count = await statistics('devices', options);
      return {
        totalDeviceCount: count('totalDeviceCount'),
        enabledDeviceCount: count('enabledDeviceCount'),
        disabledDeviceCount: count('disabledDeviceCount'),
      };
    },
    async getServiceStatistics(options = {}) {
      return { connectedDeviceCount: (await statistics('service', options))('connectedDeviceCount') };
    },
  };
}

function createQuery(transport: Transport, text: string, options: CallOptions): HubQuery {
  if (text.length > MAX_QUERY_LENGTH) {
    throw new RefusedInputError(callText('queryTooLong', { length: text.length, most: MAX_QUERY_LENGTH }));
  }
  const byPage = (pageOptions: PageOptions = {}) => readPages(transport, text, pageOptions, options);
  return {
    byPage,
    async *[Symbol.asyncIterator]() {
      for await (const page of byPage()) {
        yield* page.items;
      }
    },
  };
}

async function* readPages(
  transport: Transport,
  text: string,
  pageOptions: PageOptions,
  options: CallOptions,
): AsyncGenerator<QueryPage, void, undefined> {
  let continuation = pageOptions.continuation;
  do {
    const request: HubRequest = {
      operation: 'query the registry',
      method: 'POST',
      path: ['devices', 'query'],
      headers: { 'x-ms-max-item-count': pageOptions.maxItems?.toString(), 'x-ms-continuation': continuation },
      body: { query: text },
      writes: false,
      retry: 'always',
      options,
    };
    const page = parsePage(transport, request, await transport.send(request));
    yield page;
    continuation = page.continuation;
  } while (continuation !== undefined);
}

function parsePage(transport: Transport, request: HubRequest, reply: HubReply): QueryPage {
  if (!Array.isArray(reply.body)) throw transport.invalid(request, 'is no list');
  return {
    items: reply.body.map(asObject).filter((item) => item !== undefined),
    ...defined({
      itemType: reply.header('x-ms-item-type'),
      continuation: reply.header('x-ms-continuation') || undefined,
    }),
  };
}
