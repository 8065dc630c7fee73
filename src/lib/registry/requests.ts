/** What the operations of the client have in common: requests, and how their replies are read. */

import { ANY_ETAG, type ConditionalOptions, ifMatchFor } from './etag.ts';
import { HubError } from './hubError.ts';
import type { CallOptions, HubReply, HubRequest, Transport } from './transport.ts';

export type WriteOptions = CallOptions & ConditionalOptions;

export function getRequest(operation: string, path: readonly string[], options: CallOptions): HubRequest {
  return { operation, method: 'GET', path, writes: false, retry: 'always', options };
}

/**
 * A write with If-Match, or without. A PUT without it only creates, with it only updates; only a write whatever the ETag
 * can be done twice. A delete whose reply was lost would find nothing when repeated: only the caller can tell what that
 * means.
 */
export function writeRequest(
  operation: string,
  how: Pick<HubRequest, 'method' | 'path' | 'body' | 'options'> & { readonly ifMatch?: string | undefined },
): HubRequest {
  const { ifMatch, ...request } = how;
  const isRepeatable = ifMatch === ANY_ETAG && request.method !== 'DELETE';
  const headers = { 'If-Match': ifMatch };
  return { operation, ...request, headers, writes: true, retry: isRepeatable ? 'always' : 'whenRefused' };
}

/** What a reply says; undefined if it is not what was asked for. */
type Parse<T> = (body: unknown, reply: HubReply) => T | undefined;

/**
 * Sends a request and reads the reply.
 *
 * @param what names what is read, for the error: `device`
 */
export async function readReply<T>(
  transport: Transport,
  request: HubRequest,
  parse: Parse<T>,
  what: string,
): Promise<T> {
  const reply = await transport.send(request);
  const parsed = parse(reply.body, reply);
  if (parsed === undefined) throw transport.invalid(request, `is no ${what}`);
  return parsed;
}

/**
 * The same, or undefined when the hub says by name that the thing does not exist. A plain 404, as some other server would
 * give, stays an error: taking it for an absent device could end in a delete or a create.
 */
export async function readIfThere<T>(
  transport: Transport,
  request: HubRequest,
  parse: Parse<T>,
  what: string,
  codesOfAbsence: readonly string[],
): Promise<T | undefined> {
  try {
    return await readReply(transport, request, parse, what);
  } catch (error) {
    if (error instanceof HubError && error.status === 404 && codesOfAbsence.includes(error.code)) return undefined;
    throw error;
  }
}

export async function readList<T>(
  transport: Transport,
  request: HubRequest,
  parse: (value: unknown) => T | undefined,
): Promise<readonly T[]> {
  const { body } = await transport.send(request);
  if (!Array.isArray(body)) throw transport.invalid(request, 'is no list');
  return body.map((item) => {
    const parsed = parse(item);
    if (parsed === undefined) throw transport.invalid(request, 'lists something unknown');
    return parsed;
  });
}

/** A kind of things that a hub keeps, each at a path of its own. */
export interface Kind<Id, Input, Output> {
  /** `device` */
  readonly kind: string;
  /** As errors name it: `"d1"`. */
  readonly nameOf: (id: Id) => string;
  readonly pathOf: (id: Id) => readonly string[];
  readonly bodyOf: (input: Input) => unknown;
  readonly parse: (body: unknown) => Output | undefined;
  /** What the hub says of one that it does not have. */
  readonly codesOfAbsence: readonly string[];
}

/** Reading, creating, updating and deleting things of a kind. */
export function operationsOn<Id, Input extends Id & { readonly etag?: string }, Output>(
  transport: Transport,
  { kind, nameOf, pathOf, bodyOf, parse, codesOfAbsence }: Kind<Id, Input, Output>,
) {
  const put = (verb: string, input: Input, options: CallOptions, ifMatch?: string): Promise<Output> => {
    const how = { path: pathOf(input), body: bodyOf(input), ifMatch, options };
    const request = writeRequest(`${verb} the ${kind} ${nameOf(input)}`, { method: 'PUT', ...how });
    return readReply(transport, request, parse, kind);
  };
  const ifMatchOf = (thing: Id & { readonly etag?: string }, options: WriteOptions): string =>
    ifMatchFor(`The ${kind} ${nameOf(thing)}`, thing.etag, options);
  return {
    async get(id: Id, options: CallOptions = {}): Promise<Output | undefined> {
      const request = getRequest(`read the ${kind} ${nameOf(id)}`, pathOf(id), options);
      return readIfThere(transport, request, parse, kind, codesOfAbsence);
    },
    async create(input: Input, options: CallOptions = {}): Promise<Output> {
      return put('create', input, options);
    },
    async update(input: Input, options: WriteOptions = {}): Promise<Output> {
      return put('update', input, options, ifMatchOf(input, options));
    },
    async delete(thing: Id & { readonly etag?: string }, options: WriteOptions = {}): Promise<void> {
      const how = { path: pathOf(thing), ifMatch: ifMatchOf(thing, options), options };
      await transport.send(writeRequest(`delete the ${kind} ${nameOf(thing)}`, { method: 'DELETE', ...how }));
    },
  };
}
