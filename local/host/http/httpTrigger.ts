import type { HttpRequestLike, HttpResponseLike, Invoke, LoadedFunction, TypedData } from '../contracts.ts';
import type { AuthLevel } from './keys.ts';
import { parseRouteTemplate, type RouteTemplate } from './routeTemplate.ts';

/** An HTTP function and where it answers. */
export interface HttpFunction {
  readonly name: string;
  readonly bindingName: string;
  readonly template: RouteTemplate;
  /** In upper case. */
  readonly methods: ReadonlySet<string>;
  readonly authLevel: AuthLevel;
}

const authLevels: readonly string[] = ['anonymous', 'function', 'admin'] satisfies AuthLevel[];

/** Reads the options of an HTTP trigger. @throws Error saying which option is wrong. */
export function httpFunction(loaded: LoadedFunction, routePrefix: string): HttpFunction {
  const binding = loaded.bindings[loaded.triggerBindingName] ?? { type: loaded.triggerType };
  const { route = loaded.name, methods = [], authLevel = 'anonymous' } = binding;
  if (typeof route !== 'string') {
    throw new Error(`"route" must be a string, not ${JSON.stringify(route)}`);
  }
  if (!Array.isArray(methods) || methods.some((method) => typeof method !== 'string')) {
    throw new Error(`"methods" must be a list of strings, not ${JSON.stringify(methods)}`);
  }
  const level = String(authLevel).toLowerCase();
  if (!authLevels.includes(level)) {
    throw new Error(`"authLevel" must be one of ${authLevels.join(', ')}, not ${JSON.stringify(authLevel)}`);
  }
  const path = [routePrefix, route.replace(/^\/+/, '')].filter((part) => part !== '').join('/');
  if (/^(?:admin|runtime)(?:\/|$)/i.test(path)) {
    throw new Error(`route "${path}" conflicts with the host's own /admin and /runtime`);
  }
  return {
    name: loaded.name,
    bindingName: loaded.triggerBindingName,
    template: parseRouteTemplate(path),
    methods: new Set(methods.map((method: string) => method.toUpperCase())),
    authLevel: level as AuthLevel,
  };
}

/** Pairs of functions that answer the same requests, as sentences; the host refuses such apps. */
export function routeConflicts(functions: readonly HttpFunction[]): string[] {
  return functions.flatMap((one, index) =>
    functions
      .slice(index + 1)
      .filter(
        (other) =>
          other.template.shape === one.template.shape &&
          (other.methods.size === 0 ||
            one.methods.size === 0 ||
            [...other.methods].some((method) => one.methods.has(method))),
      )
      .map((other) => `function "${other.name}": its route and methods conflict with those of "${one.name}"`),
  );
}

/** The function that a request is for. The method is part of the route: a wrong one is no match, hence 404, not 405. */
export function findRoute(
  functions: readonly HttpFunction[],
  method: string,
  path: string,
): { readonly found: HttpFunction; readonly params: Readonly<Record<string, string>> } | undefined {
  const candidates = functions
    .filter((candidate) => candidate.methods.size === 0 || candidate.methods.has(method))
    .toSorted((a, b) => comparePrecedence(a.template.precedence, b.template.precedence));
  for (const found of candidates) {
    const params = found.template.match(path);
    if (params !== undefined) {
      return { found, params };
    }
  }
  return undefined;
}

function comparePrecedence(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

type Nullable = Record<string, { readonly value: string }>;

/**
 * A request as the worker gets it (azure-functions-host, GrpcMessageConversionExtensions.cs): lower-case headers, empty
 * ones left out; repeated query values joined; a body only when the request had a Content-Length above zero.
 */
export function toRpcHttp(request: HttpRequestLike, params: Readonly<Record<string, string>>): TypedData {
  const url = new URL(request.url, `http://${request.headers['host'] ?? '127.0.0.1'}`);
  const nullable = (entries: Iterable<[string, string]>): Nullable => {
    const result: Nullable = {};
    for (const [name, value] of entries) {
      const earlier = result[name]?.value;
      result[name] = { value: earlier === undefined ? value : `${earlier},${value}` };
    }
    return result;
  };
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0;
  return {
    http: {
      method: request.method,
      url: url.href,
      nullableHeaders: nullable(Object.entries(request.headers).filter(([, value]) => value !== '')),
      nullableQuery: nullable(url.searchParams),
      nullableParams: nullable(Object.entries(params)),
      ...(hasBody && { body: { bytes: request.body } }),
    },
  };
}

interface RpcCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: { readonly value: string };
  readonly path?: { readonly value: string };
  readonly expires?: { readonly value: { readonly seconds: number } };
  readonly secure?: { readonly value: boolean };
  readonly httpOnly?: { readonly value: boolean };
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  readonly maxAge?: { readonly value: number };
}

interface RpcHttpResponse {
  readonly statusCode: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly RpcCookie[];
  readonly body?: TypedData;
}

export interface HttpResponseWithCookies extends HttpResponseLike {
  readonly cookies: readonly string[];
}

/** What the caller gets for a function's return value: nothing at all is 204. */
export function fromRpcHttp(returnValue: TypedData | undefined): HttpResponseWithCookies {
  if (returnValue?.http === undefined) {
    return { status: 204, cookies: [] };
  }
  const response = returnValue.http as RpcHttpResponse;
  return {
    status: Number(response.statusCode),
    headers: response.headers,
    cookies: response.cookies.map(setCookie),
    body: response.body?.bytes ?? response.body?.string ?? response.body?.json ?? '',
  };
}

function setCookie(cookie: RpcCookie): string {
  const sameSite = { none: undefined, lax: 'lax', strict: 'strict', explicitNone: 'none' }[cookie.sameSite ?? 'none'];
  return [
    `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
    cookie.expires && `expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`,
    cookie.maxAge && `max-age=${cookie.maxAge.value}`,
    cookie.domain && `domain=${cookie.domain.value}`,
    cookie.path && `path=${cookie.path.value}`,
    cookie.secure?.value === true && 'secure',
    sameSite !== undefined && `samesite=${sameSite}`,
    cookie.httpOnly?.value === true && 'httponly',
  ]
    .filter((part) => typeof part === 'string')
    .join('; ');
}

/** Runs an HTTP function for a request. A handler that throws, or returns what is no response, gives 500 and no body. */
export async function callHttpFunction(
  target: { readonly found: HttpFunction; readonly params: Readonly<Record<string, string>> },
  request: HttpRequestLike,
  invoke: Invoke,
): Promise<HttpResponseWithCookies> {
  try {
    const { found, params } = target;
    const result = await invoke(found.name, { inputs: { [found.bindingName]: toRpcHttp(request, params) } });
    return fromRpcHttp(result.returnValue);
  } catch {
    // The invocation log has the reason.
    return { status: 500, cookies: [] };
  }
}
