import { ERROR_NUMBERS, type ErrorName } from '../errorCodes.ts';

/** How a hub writes an error body: `message` is the common form, `coded` the one of module identities. */
export type ErrorForm = 'message' | 'coded';

/** A refusal that goes over the wire: thrown by rules and operations, written by the HTTP server or into an import job's log. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: string;
  readonly number: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorName, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.number = ERROR_NUMBERS[code];
    this.status = Math.trunc(this.number / 1000);
    this.headers = headers;
  }
}

/** An error that has a status and a name, but no number of its own (unknown routes, what is not served here). */
export class PlainHttpError extends Error {
  override readonly name = 'PlainHttpError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The reply for an error, with the header `iothub-errorcode` that .NET compares with the body's code. */
export function errorReply(
  error: HubError | PlainHttpError,
  form: ErrorForm,
  trackingId: string,
  now: Date,
): ErrorReply {
  const headers = { 'iothub-errorcode': error.code, ...(error instanceof HubError ? error.headers : {}) };
  if (form === 'coded' && error instanceof HubError) {
    const body = {
      errorCode: error.number,
      message: error.message,
      trackingId: tracking(trackingId, now),
      timestampUtc: now.toISOString(),
    };
    return { status: error.status, headers, body };
  }
  const body = {
    Message: `ErrorCode:${error.code};${error.message}`,
    ExceptionMessage: `Tracking ID:${tracking(trackingId, now)}`,
  };
  return { status: error.status, headers, body };
}

function tracking(id: string, now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${two(now.getUTCMonth() + 1)}/${two(now.getUTCDate())}/${now.getUTCFullYear()}`;
  const time = `${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())}`;
  return `${id}-G:10-TimeStamp:${date} ${time}`;
}
