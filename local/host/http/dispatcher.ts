import { hostname } from 'node:os';
import type { BlobWebhook } from '../blob/eventGridWebhook.ts';
import type { DurableEngine, HttpRequestLike, Invoke } from '../contracts.ts';
import { callHttpFunction, findRoute, type HttpFunction } from './httpTrigger.ts';
import { type Authorization, presentedKey } from './keys.ts';
import type { Answer, RequestHandler } from './server.ts';

export interface DispatcherOptions {
  readonly hostId: string;
  readonly httpFunctions: readonly HttpFunction[];
  readonly authorization: Authorization;
  readonly invoke: Invoke;
  /** Starts a function by hand (`POST /admin/functions/{name}`): true, or the reason why not. */
  readonly trigger: (functionName: string) => true | { readonly status: 400 | 404; readonly reason: string };
  readonly durable: DurableEngine | undefined;
  readonly blobWebhook: BlobWebhook | undefined;
}

const durablePath = /^\/(?:runtime\/webhooks\/durabletask|(durabletask))(?:\/|$)/i;

/** Answers every request to the host: its own addresses first, then the app's functions. */
export function createDispatcher(options: DispatcherOptions): RequestHandler {
  const { authorization } = options;
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url, 'http://host');
    const key = presentedKey(request.headers, searchParams);

    const durable = durablePath.exec(pathname);
    if (durable !== null) {
      // The loopback RPC address has no key; the public one has the extension's.
      if (durable[1] === undefined && !authorization.mayUseExtension('durabletask_extension', key)) {
        return { status: 401 };
      }
      return (await options.durable?.handleHttp(request)) ?? { status: 404 };
    }
    if (/^\/runtime\/webhooks\/blobs\/?$/i.test(pathname)) {
      if (!authorization.mayUseExtension('blobs_extension', key)) {
        return { status: 401 };
      }
      return (await options.blobWebhook?.(request)) ?? { status: 404 };
    }
    if (/^\/admin(?:\/|$)/i.test(pathname)) {
      return administer(request, pathname, key);
    }
    if (/^\/runtime(?:\/|$)/i.test(pathname)) {
      return { status: 404 };
    }

    const target = findRoute(options.httpFunctions, request.method, pathname);
    if (target === undefined) {
      return { status: 404 };
    }
    if (!authorization.mayCall(target.found.name, target.found.authLevel, key)) {
      return { status: 401 };
    }
    return callHttpFunction(target, request, options.invoke);
  };

  function administer(request: HttpRequestLike, pathname: string, key: string | undefined): Answer {
    const path = pathname.toLowerCase().replace(/\/$/, '');
    if (path === '/admin/host/ping' && (request.method === 'GET' || request.method === 'POST')) {
      return { status: 200 };
    }
    if (!authorization.mayCall('', 'admin', key)) {
      return { status: 401 };
    }
    if (path === '/admin/host/status' && request.method === 'GET') {
      return json(200, {
        id: options.hostId,
        state: 'Running',
        version: '4.1037.0.0',
        instanceId: '',
        computerName: hostname(),
        processUptime: Math.round(process.uptime() * 1000),
      });
    }
    const manual = /^\/admin\/functions\/([^/]+)\/?$/i.exec(pathname);
    if (manual !== null && request.method === 'POST') {
      const outcome = options.trigger(decodeURIComponent(manual[1] ?? ''));
      return outcome === true ? { status: 202 } : json(outcome.status, { message: outcome.reason });
    }
    return { status: 404 };
  }
}

function json(status: number, value: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
