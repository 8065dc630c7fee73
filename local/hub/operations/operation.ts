import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorForm } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import type { Right } from '../policies.ts';
import type { ThrottleClass } from '../throttles.ts';

export interface OperationRequest {
  /** Decoded path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON body; undefined when the request has none. */
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One operation of the hub's REST surface: an entry of the table. */
export interface Operation {
  /** The name that faults and counters use. */
  readonly name: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** `:name` segments are parameters. */
  readonly path: string;
  readonly right: Right;
  /** The throttle that it draws from, and how many items a call counts as (1 when absent). */
  readonly throttle?: { readonly kind: ThrottleClass; readonly items?: (request: OperationRequest) => number };
  readonly errorForm?: ErrorForm;
  /** The body has twins in it: integers beyond their bounds come as bigints. */
  readonly readsTwins?: true;
  readonly handle: (hub: Hub, request: OperationRequest) => Reply | Promise<Reply>;
}

/** A path parameter; the router guarantees that a matched path has it. */
export function param(request: OperationRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new Error(`The route has no parameter ${name}.`);
  return value;
}
