/**
 * Takes secrets out of every text that leaves the app: logs, run records, reports, status, error messages.
 *
 * It rather takes too much than too little. What must survive: device ids, ETags, sha256 in hex, GUIDs, tracking ids.
 * Running time is linear in the text: patterns have bounded repetitions only, everything of unbounded length is scanned
 * by hand (an error text can quote a whole input line, and a hostile one must not stall the app).
 */

const REDACTED = '[redacted]';

/** A text with every secret that it seems to hold replaced by `[redacted]`. */
export function redact(text: string): string {
  return redactStandaloneKeys(redactNamedSecrets(redactTokens(text)));
}

export interface SafeError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
}

const MAX_ERROR_TEXT = 500;

/**
 * What may be told of any thrown value: its name, code and redacted message; never a stack, a cause, or the request and
 * response that a storage RestError carries (their URLs and headers hold SAS signatures and keys).
 */
export function safeError(error: unknown): SafeError {
  if (!(error instanceof Error)) {
    const message = typeof error === 'string' ? error : 'a value that is no Error was thrown';
    return { name: 'Error', message: cut(redact(message), MAX_ERROR_TEXT) };
  }
  const code = plainCode((error as { readonly code?: unknown }).code);
  return {
    name: /^\w{1,64}$/.test(error.name) ? error.name : 'Error',
    ...defined({ code }),
    message: cut(missingRoleText(error) ?? redact(errorText(error)), MAX_ERROR_TEXT),
  };
}

/** `text`, or its first `maxLength` characters with an ellipsis. Cut after redaction: half a key is still a secret. */
export function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}

function errorText(error: Error): string {
  // Node reports a refused connection to a name with several addresses as an AggregateError without a message.
  if (error.message === '' && error instanceof AggregateError) {
    return error.errors.map((inner) => (inner instanceof Error ? inner.message : '')).join('; ');
  }
  return error.message;
}

function plainCode(code: unknown): string | undefined {
  if (typeof code === 'number') return String(code);
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? code : undefined;
}

// Whole tokens ------------------------------------------------------------------------------------------------------

const TOKENS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // SharedAccessSignature sr=…&sig=…&se=… (as a header, also percent-encoded)
  [/(SharedAccessSignature(?:\s|\+|%(?:25){0,4}20){1,4})(?=(?:sr|sig|se|skn)(?:=|%))[^\s"'<>;,]+/gi, `$1${REDACTED}`],
  [/\b(Bearer\s{1,4})[\w\-.~+/%]{16,}={0,2}/gi, `$1${REDACTED}`],
  // Azure Functions keys in URLs. The word alone is too common: only as a query parameter.
  [/((?:[?&;]|%(?:25){0,4}(?:3F|26))code(?:=|%(?:25){0,4}3D))[^&\s"'<>#]+/gi, `$1${REDACTED}`],
];

function redactTokens(text: string): string {
  let result = text;
  for (const [pattern, replacement] of TOKENS) {
    result = result.replace(pattern, replacement);
  }
  return result;
}

// Values that a name gives away ---------------------------------------------------------------------------------------

/** Names whose value is a secret. `SharedAccessKeyName=…` is none: the separator must follow the name at once. */
const SECRET_NAME = new RegExp(
  [
    // `sig` on its own only: not in `design=`, but in `%3Fsig%3D`, whose F is no part of the word.
    '(?:(?<![a-z])|(?<=%(?:25){0,4}[0-9a-f]{2}))sig(?:nature)?(?![a-z])',
    'shared_?access_?signature',
    '(?:shared_?access|account|access|primary|secondary|symmetric|function|functions|master|api|storage|device|host)[_-]?key',
    'sas_?token',
    '(?:client_?)?secret',
    'password',
    'pwd',
  ].join('|'),
  'gi',
);

/** A quote, escaped to any depth as in JSON within JSON, URLs and HTML. */
const QUOTE = String.raw`(?:\\{0,16}["']|\\{1,16}u002[27]|%(?:25){0,4}2[27]|&quot;|&#3[49];)`;
const BLANKS = String.raw`(?:\s|\\{1,16}[nrt]|%(?:25){0,4}20){0,64}`;
const EQUALS = String.raw`=|%(?:25){0,4}3d|\\{1,16}u003d`;
const COLON = String.raw`:|%(?:25){0,4}3a|\\{1,16}u003a`;
/** Between a name and its value: the quote that closes the name, one `:` or `=`, the quote that opens the value. */
const JOINT = new RegExp(`${QUOTE}?${BLANKS}(?:(?<equals>${EQUALS})|${COLON})${BLANKS}(?<quote>${QUOTE})?`, 'iy');
const CLOSING_QUOTE = /["']|\\u002[27]|%(?:25){0,4}2[27]|&quot;|&#3[49];/gi;
const END_OF_BARE_VALUE = /[\s"'<>;&,{}()[\]]/g;
const NO_SECRET = /^(?:null|undefined|true|false|…|\[redacted\]?)?$/i;

function redactNamedSecrets(text: string): string {
  let result = '';
  let copied = 0;
  SECRET_NAME.lastIndex = 0;
  for (let name = SECRET_NAME.exec(text); name !== null; name = SECRET_NAME.exec(text)) {
    const span = secretAfter(text, SECRET_NAME.lastIndex);
    if (span !== undefined) {
      result += text.slice(copied, span.start) + REDACTED;
      copied = span.end;
      SECRET_NAME.lastIndex = span.end;
    }
  }
  return result + text.slice(copied);
}

/** Where the value of a name ending at `from` stands, if one does and it is a secret. */
function secretAfter(text: string, from: number): { readonly start: number; readonly end: number } | undefined {
  JOINT.lastIndex = from;
  const joint = JOINT.exec(text);
  if (joint === null) return undefined;
  const start = JOINT.lastIndex;
  const quoted = joint.groups?.quote !== undefined;
  let end = nextMatch(quoted ? CLOSING_QUOTE : END_OF_BARE_VALUE, text, start);
  // The backslashes before an escaped closing quote belong to the quote.
  while (end > start && text.charAt(end - 1) === '\\') {
    end -= 1;
  }
  const value = text.slice(start, end);
  if (NO_SECRET.test(value)) return undefined;
  // "primaryKey: both or neither" is prose; "primaryKey: qv3…=" is not.
  if (!quoted && joint.groups?.equals === undefined && (value.length < 8 || /^[a-z.-]*$/.test(value))) return undefined;
  return { start, end };
}

function nextMatch(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

// Keys on their own -----------------------------------------------------------------------------------------------------

/** 16 bytes, the shortest key that a hub takes, are 22 base64 characters without their padding. */
const SHORTEST_KEY = 22;
/** Without padding nothing but length and disorder tells a key from a name: be surer of it. */
const SHORTEST_UNPADDED_KEY = 32;
const LONGEST_KEY = 128;
const JWT_PART = 16;
const LEAST_DISORDER = 0.42;

/** A base64 character that some encoding has escaped: `%2B`, `%252F`, `\/`, `\u002b`. */
const ESCAPED_BODY = /%(?:25){0,4}2[bf]|\\{1,16}(?:\/|u002[bf])/iy;
const ESCAPED_PADDING = /%(?:25){0,4}3d|\\{1,16}u003d/iy;

function redactStandaloneKeys(text: string): string {
  let result = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    if (!startsBody(text, at)) {
      at += 1;
      continue;
    }
    const body = scan(text, at, isBody, ESCAPED_BODY);
    const padding = scan(text, body.end, isPadding, ESCAPED_PADDING, 2);
    // `name=value`: what looked like padding joins two words.
    const padded = padding.count > 0 && !startsBody(text, padding.end) && text.charAt(padding.end) !== '=';
    if (isKey(text.slice(at, body.end), body.count, padded)) {
      result += text.slice(copied, at) + REDACTED;
      copied = padded ? padding.end : body.end;
    }
    at = padding.end;
  }
  return result + text.slice(copied);
}

function isKey(body: string, length: number, padded: boolean): boolean {
  if (padded) return length >= SHORTEST_KEY;
  // `{"` in base64url: the header and the payload of a JSON Web Token.
  if (body.startsWith('eyJ') && length >= JWT_PART) return true;
  return (
    length >= SHORTEST_UNPADDED_KEY &&
    length <= LONGEST_KEY &&
    /[A-Z]/.test(body) &&
    /[a-z]/.test(body) &&
    /[0-9]/.test(body) &&
    !/[-_]/.test(body) &&
    disorder(body) >= LEAST_DISORDER
  );
}

/**
 * Share of neighbours of different kinds (upper, lower, digit, other). Random base64 has 0.64 on average; words, camel
 * case, paths and hex stay below 0.4.
 */
function disorder(body: string): number {
  let changes = 0;
  for (let index = 1; index < body.length; index += 1) {
    if (kindOf(body.charCodeAt(index)) !== kindOf(body.charCodeAt(index - 1))) {
      changes += 1;
    }
  }
  return changes / (body.length - 1);
}

function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return 0;
  if (code >= 65 && code <= 90) return 1;
  return code >= 48 && code <= 57 ? 2 : 3;
}

interface Run {
  readonly end: number;
  /** Characters meant: an escape counts as one. */
  readonly count: number;
}

function scan(text: string, from: number, isPlain: (code: number) => boolean, escaped: RegExp, most = Infinity): Run {
  let end = from;
  let count = 0;
  while (count < most && end < text.length) {
    const code = text.charCodeAt(end);
    if (isPlain(code)) {
      end += 1;
    } else {
      const length = code === PERCENT || code === BACKSLASH ? escapeLength(text, end, escaped) : 0;
      if (length === 0) break;
      end += length;
    }
    count += 1;
  }
  return { end, count };
}

function startsBody(text: string, at: number): boolean {
  return isBody(text.charCodeAt(at));
}

const PERCENT = 37;
const BACKSLASH = 92;

function escapeLength(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

/** Base64 in both alphabets: A–Z a–z 0–9 + / - _ */
function isBody(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 47 && code <= 57) ||
    code === 43 ||
    code === 45 ||
    code === 95
  );
}

function isPadding(code: number): boolean {
  return code === 61;
}

import { defined } from './defined.ts';
import { missingRoleText } from './roles.ts';
