/** One HTTP call to the hub: address, authorization, retries, timeout, errors. */

import type { TokenCredential } from '@azure/core-auth';
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  isRestError,
  type Pipeline,
  type PipelinePolicy,
  type PipelineRequestOptions,
  type PipelineResponse,
  proxyPolicy,
  retryPolicy,
  setClientRequestIdPolicy,
  tracingPolicy,
  userAgentPolicy,
} from '@azure/core-rest-pipeline';
import { defined } from '../defined.ts';
import { HubKeeperError, isOwnFault, RefusedInputError } from '../errors.ts';
import { safeError } from '../redact.ts';
import { callText } from './callTexts.ts';
import type { HubConnection } from './connection.ts';
import {
  errorFromReply,
  type FailedCall,
  HubError,
  invalidReply,
  networkError,
  ownFault,
  timeoutError,
} from './hubError.ts';
import { type CallObserver, templateOf, throttlePolicy, UNOBSERVED } from './observer.ts';
import { createRetryStrategy, type RetrySafety, type RetryTiming, retryAfterMs } from './retry.ts';
import type { SasCredential } from './sasCredential.ts';
import { HUBKEEPER_VERSION } from './version.ts';

const API_VERSION = '2021-04-12';
const ENTRA_SCOPE = 'https://iothubs.azure.net/.default';
const SECOND = 1000;

export interface CallOptions {
  /** Ends the call with an `AbortError`. */
  readonly abortSignal?: AbortSignal;
  /** For the whole call with its retries, ms. Default: the client's. */
  readonly timeoutMs?: number;
  /** Parent of the OpenTelemetry span. */
  readonly tracingOptions?: NonNullable<PipelineRequestOptions['tracingOptions']>;
}

export interface TransportOptions {
  /** For a whole call with its retries, ms. Default 30 s. */
  readonly timeoutMs?: number;
  /** Default 2. */
  readonly maxRetries?: number;
  /** First pause, ms; it doubles. Default 300 ms. */
  readonly retryDelayMs?: number;
  /** Longest pause, ms; a hub that asks for more is not waited for. Default 5 s. */
  readonly maxRetryDelayMs?: number;
  /** Who watches the calls. */
  readonly observer?: CallObserver;
}

export interface HubRequest {
  /** To follow "cannot" in errors: `read the device "d1"`. */
  readonly operation: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Path segments, not yet encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** Writes the body as it is to be sent: JSON, instead of `body`. */
  readonly bodyText?: () => string;
  readonly writes: boolean;
  readonly retry: RetrySafety;
  /** Replies besides 2xx that the caller reads itself. */
  readonly accepts?: (reply: HubReply) => boolean;
  readonly options: CallOptions;
}

export interface HubReply {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
  /** The body as it came. */
  readonly bodyText: string;
}

export interface Transport {
  /** @throws HubError, AbortError, RefusedInputError (an id that no URL can hold) */
  send(request: HubRequest): Promise<HubReply>;
  /** An error for a reply that is not what the hub documents. */
  invalid(request: Pick<HubRequest, 'operation' | 'writes'>, what: string): HubError;
}

export function createTransport(connection: HubConnection, options: TransportOptions): Transport {
  const authorization = authorizationPolicy(connection);
  const timing: RetryTiming = {
    baseDelayMs: options.retryDelayMs ?? 0.3 * SECOND,
    maxDelayMs: options.maxRetryDelayMs ?? 5 * SECOND,
  };
  const pipelineFor = (safety: RetrySafety) => createPipeline(connection, authorization, safety, timing, options);
  const pipelines: Readonly<Record<RetrySafety, Pipeline>> = {
    always: pipelineFor('always'),
    whenRefused: pipelineFor('whenRefused'),
    never: pipelineFor('never'),
  };
  const httpClient = createDefaultHttpClient();
  const { hostName } = connection;
  const byIdentity = connection.identity !== undefined && connection.sas === undefined;
  const observer = options.observer ?? UNOBSERVED;

  return {
    async send(request) {
      const call: FailedCall = { operation: request.operation, hostName, writes: request.writes, byIdentity };
      const timeoutMs = request.options.timeoutMs ?? options.timeoutMs ?? 30 * SECOND;
      // Before the deadline: whatever fails here is of our own making, and nothing has left.
      const prepared = prepare(call, () => toPipelineRequest(connection, request));
      const deadline = createDeadline(timeoutMs, request.options.abortSignal);
      const observed = { method: request.method, template: templateOf(request.path), hostName };
      try {
        return await observer.call(observed, async (answered) => {
          const response = await pipelines[request.retry].sendRequest(
            httpClient,
            createPipelineRequest({ ...prepared, abortSignal: deadline.signal }),
          );
          answered(response.status);
          return readReply(call, request, response);
        });
      } catch (error) {
        if (request.options.abortSignal?.aborted === true) throw isAbortError(error) ? error : abortError();
        if (deadline.expired()) throw timeoutError(call, timeoutMs);
        if (error instanceof HubKeeperError) throw error;
        throw !isRestError(error) && isOwnFault(error) ? ownFault(call, error, true) : fromNetwork(call, error);
      } finally {
        deadline.clear();
      }
    },
    invalid: ({ operation, writes }, what) => invalidReply({ operation, hostName, writes }, what),
  };
}

function createPipeline(
  connection: HubConnection,
  authorization: PipelinePolicy,
  safety: RetrySafety,
  timing: RetryTiming,
  options: TransportOptions,
): Pipeline {
  // Put together by hand: the ready-made pipeline also follows redirects and logs, and both could carry secrets away.
  const pipeline = createEmptyPipeline();
  if (connection.endpoint.startsWith('https:')) {
    pipeline.addPolicy(proxyPolicy());
  }
  pipeline.addPolicy(userAgentPolicy({ userAgentPrefix: `hubkeeper/${HUBKEEPER_VERSION}` }));
  pipeline.addPolicy(setClientRequestIdPolicy());
  pipeline.addPolicy(retryPolicy([createRetryStrategy(safety, timing)], { maxRetries: options.maxRetries ?? 2 }), {
    phase: 'Retry',
  });
  pipeline.addPolicy(tracingPolicy({ userAgentPrefix: `hubkeeper/${HUBKEEPER_VERSION}` }), { afterPhase: 'Retry' });
  pipeline.addPolicy(authorization, { phase: 'Sign' });
  if (options.observer !== undefined) pipeline.addPolicy(throttlePolicy(options.observer), { afterPhase: 'Retry' });
  return pipeline;
}

function authorizationPolicy(connection: HubConnection): PipelinePolicy {
  if (connection.sas !== undefined) return sasPolicy(connection.sas);
  if (connection.identity === undefined) {
    throw new HubKeeperError(callText('hubCredentialMissing', { host: connection.hostName }));
  }
  return bearerTokenAuthenticationPolicy({
    credential: namingFailures(connection.identity, connection.hostName),
    scopes: ENTRA_SCOPE,
  });
}

function sasPolicy(sas: SasCredential): PipelinePolicy {
  return {
    name: 'hubSasPolicy',
    sendRequest(request, next) {
      request.headers.set('Authorization', sas.token());
      return next(request);
    },
  };
}

/** An identity that gives no token must not look like a hub that cannot be reached. */
function namingFailures(credential: TokenCredential, hostName: string): TokenCredential {
  return {
    async getToken(scopes, options) {
      try {
        return await credential.getToken(scopes, options);
      } catch (error) {
        if (isAbortError(error)) throw error;
        throw new HubError({
          ...callText('CredentialFailed', { host: hostName, error: safeError(error).message }),
          kind: 'unauthorized',
          retryable: false,
          outcomeUnknown: false,
        });
      }
    },
  };
}

/** @throws RefusedInputError, HubError (our own code failed: text nested so deep that it cannot be written, say) */
function prepare(call: FailedCall, make: () => PipelineRequestOptions): PipelineRequestOptions {
  try {
    return make();
  } catch (error) {
    throw isOwnFault(error) ? ownFault(call, error, false) : error;
  }
}

function toPipelineRequest(connection: HubConnection, request: HubRequest): PipelineRequestOptions {
  const query = Object.entries({ ...request.query, 'api-version': API_VERSION })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
  const headers = createHttpHeaders({ Accept: 'application/json' });
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value !== undefined) {
      headers.set(name, value);
    }
  }
  const bodyText = request.bodyText?.() ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
  if (bodyText !== undefined) {
    headers.set('Content-Type', 'application/json; charset=utf-8');
  }
  return {
    url: `${connection.endpoint}/${request.path.map(encodeSegment).join('/')}?${query}`,
    method: request.method,
    headers,
    allowInsecureConnection: connection.endpoint.startsWith('http:'),
    ...defined({ body: bodyText, tracingOptions: request.options.tracingOptions }),
  };
}

/** An empty id would turn "read one device" into "list all", and URLs resolve the dots of `.` and `..`. */
function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..') {
    throw new RefusedInputError(
      segment === '' ? callText('idNotAddressable:empty') : callText('idNotAddressable:dots', { id: segment }),
    );
  }
  return encodeURIComponent(segment);
}

function readReply(call: FailedCall, request: HubRequest, response: PipelineResponse): HubReply {
  const bodyText = response.bodyAsText ?? '';
  const header = (name: string) => response.headers.get(name);
  const ok = response.status >= 200 && response.status < 300;
  const parsed = parseJson(bodyText);
  const reply: HubReply = { status: response.status, header, body: parsed.value, bodyText };
  if (!ok && request.accepts?.(reply) !== true) {
    throw errorFromReply(call, { status: response.status, header, bodyText, retryAfterMs: retryAfterMs(header) });
  }
  if (!parsed.valid) throw invalidReply(call, 'is not JSON');
  return reply;
}

function parseJson(text: string): { readonly valid: boolean; readonly value: unknown } {
  if (text.trim() === '') return { valid: true, value: undefined };
  try {
    return { valid: true, value: JSON.parse(text) };
  } catch {
    return { valid: false, value: undefined };
  }
}

function fromNetwork(call: FailedCall, error: unknown): HubError {
  const { code, message } = safeError(error);
  return networkError(call, isRestError(error) ? code : undefined, message);
}

interface Deadline {
  readonly signal: AbortSignal;
  expired(): boolean;
  clear(): void;
}

/** The pipeline's own timeout ends with the reply's headers; a reply whose body never ends must end too. */
function createDeadline(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, timeoutMs);
  const onAbort = () => controller.abort();
  if (outer?.aborted === true) {
    controller.abort();
  }
  outer?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    clear() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    },
  };
}

function isAbortError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'AbortError';
}

function abortError(): Error {
  return new DOMException('The call to the hub was aborted.', 'AbortError');
}
