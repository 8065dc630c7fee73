/** What goes wrong between HubKeeper and a hub, as one error class whose fields say what the caller can do. */

import { HubKeeperError, ownFaultText } from '../errors.ts';
import { cut, redact } from '../redact.ts';
import { roleAction } from '../roles.ts';
import { callText } from './callTexts.ts';
import { explainHubError, isKnownHubError } from './errorCodes.ts';
import { reduceErrorStatus } from './errorStatus.ts';

export type HubErrorKind =
  | 'notFound'
  | 'conflict'
  | 'preconditionFailed'
  | 'unauthorized'
  | 'forbidden'
  /** The hub is full. */
  | 'quota'
  | 'throttled'
  /** Another import or export job is running. */
  | 'busyJob'
  | 'badRequest'
  | 'server'
  /** No reply, or a broken one. */
  | 'network'
  | 'timeout'
  /** HubKeeper itself failed: neither hub nor network have a part in it. */
  | 'own';

export interface HubErrorFields {
  /** The hub's name of the error (`DeviceNotFound`), or `Http<status>`, `NetworkError`, `Timeout`, `InvalidReply`, `HubKeeperFault`. */
  readonly code: string;
  /** HTTP status; absent when there was no reply. */
  readonly status?: number | undefined;
  /** The hub's number of the error, e.g. 404001. */
  readonly errorNumber?: number | undefined;
  /** For an Azure support request. */
  readonly trackingId?: string | undefined;
  readonly kind: HubErrorKind;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;
  /** Whether a write may have been done although the call failed. */
  readonly outcomeUnknown: boolean;
  /** How long the hub asked to be left alone, ms. */
  readonly retryAfterMs?: number | undefined;
  readonly message: string;
  readonly action?: string | undefined;
}

export class HubError extends HubKeeperError {
  override readonly name = 'HubError';
  readonly kind: HubErrorKind;
  readonly retryable: boolean;
  readonly outcomeUnknown: boolean;
  readonly status: number | undefined;
  readonly errorNumber: number | undefined;
  readonly trackingId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(fields: HubErrorFields) {
    super(fields);
    this.kind = fields.kind;
    this.retryable = fields.retryable;
    this.outcomeUnknown = fields.outcomeUnknown;
    this.status = fields.status;
    this.errorNumber = fields.errorNumber;
    this.trackingId = fields.trackingId;
    this.retryAfterMs = fields.retryAfterMs;
  }
}

/** The call that failed, for the error's words. */
export interface FailedCall {
  /** What was tried, to follow "cannot": `read the device "d1"`. */
  readonly operation: string;
  readonly hostName: string;
  /** Whether it can change anything in the hub. */
  readonly writes: boolean;
  /** The hub was asked as an identity, not by a key: what it refuses, a role allows. */
  readonly byIdentity?: boolean;
}

export interface ErrorReply {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly bodyText: string;
  readonly retryAfterMs?: number | undefined;
}

const MAX_HUB_TEXT = 300;

/** The error for a reply with a status that the call does not expect. */
export function errorFromReply(call: FailedCall, reply: ErrorReply): HubError {
  const found = readErrorBody(reply.bodyText);
  const headerName = identifier(reply.header('iothub-errorcode') ?? reply.header('IotHubErrorCode'));
  const named = headerName ?? found.name;
  const explained = explainHubError(named ?? found.number ?? `Http${reply.status}`);
  const fromHub = named !== undefined || found.number !== undefined;
  const code = fromHub ? (named ?? explained.name) : `Http${reply.status}`;
  const errorNumber = found.number ?? (fromHub ? explained.code : undefined);
  const kind = kindOf(code, reply.status);
  const transientStatus = [408, 429, 500, 502, 503, 504].includes(reply.status);
  const sentence = fromHub ? explained.sentence : `${call.hostName} answered with HTTP status ${reply.status}.`;
  const details = [
    errorNumber === undefined ? code : `${code} ${errorNumber}`,
    ...(found.trackingId === undefined ? [] : [`tracking id ${found.trackingId}`]),
  ].join(', ');
  return new HubError({
    code,
    status: reply.status,
    errorNumber,
    trackingId: found.trackingId,
    kind,
    retryable: transientStatus || (isKnownHubError(code) && explained.class === 'transient'),
    outcomeUnknown: call.writes && [408, 500, 502, 504].includes(reply.status),
    retryAfterMs: reply.retryAfterMs,
    message: `Cannot ${call.operation}: ${sentence} (${details})${hubText(found.text)}`,
    action: actionFor(call, kind, fromHub ? explained.action : 'Check that the host name belongs to an IoT hub.'),
  });
}

function actionFor(call: FailedCall, kind: HubErrorKind, otherwise: string | undefined): string | undefined {
  return call.byIdentity && (kind === 'unauthorized' || kind === 'forbidden') ? roleAction('hub') : otherwise;
}

/** The error for a success reply whose body is not what the hub documents. */
export function invalidReply(call: FailedCall, what: string): HubError {
  return new HubError({
    ...callText('InvalidReply', { operation: call.operation, host: call.hostName, problem: what }),
    kind: 'server',
    retryable: false,
    outcomeUnknown: call.writes,
  });
}

export function timeoutError(call: FailedCall, timeoutMs: number): HubError {
  return new HubError({
    ...callText('Timeout', { operation: call.operation, host: call.hostName, seconds: timeoutMs / 1000 }),
    kind: 'timeout',
    retryable: true,
    outcomeUnknown: call.writes,
  });
}

/**
 * The error for a call in which our own code failed. It is never taken for transient trouble.
 *
 * @param wasSent whether the request may have left before
 */
export function ownFault(call: FailedCall, error: Error, wasSent: boolean): HubError {
  return new HubError({
    ...callText('HubKeeperFault', { operation: call.operation, error: ownFaultText(error) }),
    kind: 'own',
    retryable: false,
    outcomeUnknown: call.writes && wasSent,
  });
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EPROTO: 'the host does not speak TLS',
  ERR_TLS_CERT_ALTNAME_INVALID: "the host's certificate is for another name",
  CERT_HAS_EXPIRED: "the host's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the host's certificate is not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "the host's certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the host's certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the host's certificate is not trusted",
  PARSE_ERROR: 'the reply broke off',
};

/** Failures before anything was sent: the hub has certainly done nothing. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether a network failure with this code happened before the request left. */
export function wasNeverSent(networkCode: string | undefined): boolean {
  return networkCode !== undefined && (NEVER_SENT.has(networkCode) || isCertificateTrouble(networkCode));
}

/** The error for a call that got no reply. */
export function networkError(call: FailedCall, networkCode: string | undefined, text: string): HubError {
  const cause = (networkCode === undefined ? undefined : CAUSES[networkCode]) ?? cut(redact(text), MAX_HUB_TEXT);
  const certificate = networkCode !== undefined && isCertificateTrouble(networkCode);
  return new HubError({
    ...callText(certificate ? 'NetworkError:certificate' : 'NetworkError', {
      operation: call.operation,
      host: call.hostName,
      cause,
    }),
    kind: 'network',
    retryable: !certificate,
    outcomeUnknown: call.writes && !wasNeverSent(networkCode),
  });
}

function isCertificateTrouble(networkCode: string): boolean {
  return networkCode.includes('CERT') || networkCode === 'EPROTO' || networkCode.includes('LEAF_SIGNATURE');
}

function kindOf(code: string, status: number): HubErrorKind {
  if (code === 'JobQuotaExceeded') return 'busyJob';
  if (explainHubError(code).class === 'quota') return 'quota';
  if (status === 429 || /^Throttl/.test(code)) return 'throttled';
  const byStatus: Readonly<Record<number, HubErrorKind>> = {
    401: 'unauthorized',
    403: 'forbidden',
    404: 'notFound',
    408: 'timeout',
    409: 'conflict',
    412: 'preconditionFailed',
  };
  return byStatus[status] ?? (status >= 500 || status < 400 ? 'server' : 'badRequest');
}

/** What the hub itself says; nothing of it when it quotes JSON, which may be a line with its keys. */
function hubText(text: string | undefined): string {
  const trimmed = text?.replace(/\s+/g, ' ').trim() ?? '';
  if (trimmed === '') return '';
  if (/[{}]/.test(trimmed)) {
    const { path } = reduceErrorStatus(trimmed);
    return path === undefined ? '' : ` Field: ${path}.`;
  }
  return ` The hub says: "${cut(redact(trimmed), MAX_HUB_TEXT)}"`;
}

// Error bodies ------------------------------------------------------------------------------------------------------------

interface ErrorBody {
  readonly name?: string | undefined;
  readonly number?: number | undefined;
  readonly text?: string;
  readonly trackingId?: string | undefined;
}

/**
 * Reads the three forms of error bodies that hubs give:
 * `{"Message":"ErrorCode:DeviceNotFound;…","ExceptionMessage":"Tracking ID:…"}`,
 * `{"errorCode":409301,"message":"…","trackingId":"…"}` (module identities), and the second one as JSON text within the
 * `Message` of the first (direct methods).
 */
function readErrorBody(bodyText: string): ErrorBody {
  const body = parseObject(bodyText);
  if (body === undefined) {
    // HTML of a proxy or plain text: of no use to a reader, and of unknown content.
    return {};
  }
  const message = stringField(body, 'message');
  const nested = message === undefined ? undefined : parseObject(message);
  if (nested === undefined) return readFields(body);
  const fields = readFields(nested);
  return { ...fields, trackingId: fields.trackingId ?? trackingIdIn(body) };
}

function readFields(body: Readonly<Record<string, unknown>>): ErrorBody {
  const message = stringField(body, 'message') ?? '';
  const code = field(body, 'errorcode');
  const prefix = /^(?:ErrorCode:)?\s{0,4}([A-Za-z]{3,80});\s{0,4}/.exec(message);
  const prefixName = prefix?.[1];
  const isCode = prefixName !== undefined && (/^ErrorCode:/.test(message) || isKnownHubError(prefixName));
  const name = typeof code === 'string' ? identifier(code) : isCode ? prefixName : undefined;
  const number = typeof code === 'number' && Number.isSafeInteger(code) && code > 0 ? code : undefined;
  const text = isCode && prefix !== null ? message.slice(prefix[0].length) : message;
  return { name, number, text, trackingId: trackingIdIn(body) };
}

function trackingIdIn(body: Readonly<Record<string, unknown>>): string | undefined {
  const candidates = [
    stringField(body, 'trackingid'),
    /Tracking ID:\s{0,4}([\w:-]{4,100})/i.exec(stringField(body, 'exceptionmessage') ?? '')?.[1],
    /Tracking ID:\s{0,4}([\w:-]{4,100})/i.exec(stringField(body, 'message') ?? '')?.[1],
  ];
  const found = candidates.find((candidate) => candidate !== undefined && /^[\w:-]{4,100}/.test(candidate));
  return found && /^[\w:-]{4,100}/.exec(found)?.[0].replace(/-TimeStamp.*$/i, '');
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A field by name in any case: hubs write `Message` and `message`. */
function field(body: Readonly<Record<string, unknown>>, lowerCaseName: string): unknown {
  return Object.entries(body).find(([name]) => name.toLowerCase() === lowerCaseName)?.[1];
}

function stringField(body: Readonly<Record<string, unknown>>, lowerCaseName: string): string | undefined {
  const value = field(body, lowerCaseName);
  return typeof value === 'string' ? value : undefined;
}

function identifier(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed !== undefined && /^[A-Za-z]{3,80}$/.test(trimmed) ? trimmed : undefined;
}
