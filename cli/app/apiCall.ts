/** Calls of the HTTP API of an app. */

import { safeError } from '../../src/lib/redact.ts';
import { CliError, usageError } from '../cliError.ts';
import { EXIT } from '../exitCode.ts';
import { typedCommands } from '../render/commandText.ts';
import { plainText } from '../render/plainText.ts';
import type { Api, Connection } from './connection.ts';

const TIMEOUT_MS = 60_000;
/** What removes or looks at much takes its time. */
const LONG_TIMEOUT_MS = 230_000;

/**
 * @param doing `cancelling`, as in "cancelling goes through the HTTP API"
 * @throws CliError where the environment names no API
 */
export function demandApi({ api }: Connection, doing: string): Api {
  if (api !== undefined) return api;
  throw usageError(
    `HUBKEEPER_API is not set: ${doing} goes through the HTTP API of the app.`,
    'Set it to https://APP.azurewebsites.net/api, and HUBKEEPER_API_KEY to a function key.',
  );
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

/**
 * The reply to a POST, whatever its status but for one that refuses the key.
 * @throws CliError when the app cannot be reached, or refuses the key
 */
export function postTo(api: Api, path: string, body?: object, timeoutMs = TIMEOUT_MS): Promise<Reply> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return request(api, path, { method: 'POST', ...(body === undefined ? {} : json) }, timeoutMs);
}

/** @throws CliError when the app cannot be reached, or refuses the key */
async function request(api: Api, path: string, init: RequestInit, timeoutMs: number): Promise<Reply> {
  let reply: Reply;
  try {
    const response = await fetch(`${api.url}/${path}`, {
      ...init,
      headers: { ...(api.key === undefined ? {} : { 'x-functions-key': api.key }), ...init.headers },
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])]),
    });
    reply = { status: response.status, text: await response.text() };
  } catch (error) {
    init.signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CliError(
      EXIT.failed,
      `The app at ${api.url} cannot be reached: ${safeError(cause).message}`,
      'Check HUBKEEPER_API and the network.',
    );
  }
  if (reply.status !== 401 && reply.status !== 403) return reply;
  throw usageError(
    `The app at ${api.url} refused the key (${reply.status}).`,
    'Set HUBKEEPER_API_KEY to a function key or host key of the app.',
  );
}

/**
 * Asks the app for something by a POST, and gives what it answers.
 *
 * @param doing `making a backup`, as in "making a backup goes through the HTTP API"
 * @throws CliError when the app cannot be asked, or refuses: with its own words
 */
export async function askApp<Answer>(
  connection: Connection,
  path: string,
  body: object,
  doing: string,
): Promise<Answer> {
  const api = demandApi(connection, doing);
  return answerOf<Answer>(connection, await postTo(api, path, body, LONG_TIMEOUT_MS));
}

export interface Question {
  /** `devices?limit=10` */
  readonly path: string;
  /** As of `askApp`. */
  readonly doing: string;
  readonly signal: AbortSignal;
  /** Codes of a 503 that says: not yet, ask again. */
  readonly notYet?: readonly string[];
}

/** What the app answers to a GET; undefined: not yet. @throws CliError as `askApp` */
export async function readApp<Answer>(
  connection: Connection,
  { path, doing, signal, notYet = [] }: Question,
): Promise<Answer | undefined> {
  const api = demandApi(connection, doing);
  const reply = await request(api, path, { signal }, LONG_TIMEOUT_MS);
  const code = errorOf(parsed(reply.text))?.code;
  if (reply.status === 503 && code !== undefined && notYet.includes(code)) return undefined;
  return answerOf<Answer>(connection, reply);
}

interface ApiError {
  readonly code?: string;
  readonly message?: string;
  readonly action?: string;
}

function errorOf(answer: unknown): ApiError | undefined {
  return ((answer ?? {}) as { readonly error?: ApiError }).error;
}

function answerOf<Answer>({ api, command }: Connection, { status, text }: Reply): Answer {
  const answer = parsed(text);
  if (status < 300 && answer !== undefined) return answer as Answer;
  const { message: words, action } = errorOf(answer) ?? {};
  const message = words === undefined ? undefined : plainText(words);
  if (message !== undefined && status >= 400 && status < 500)
    throw usageError(message, action && typedCommands(action, command));
  if (status === 404) {
    throw usageError(`The app at ${api?.url} does not know how to do that.`, 'Deploy this version of HubKeeper to it.');
  }
  if (message !== undefined) throw new CliError(EXIT.failed, message, action && typedCommands(action, command));
  throw new CliError(EXIT.failed, `The app answered ${status}.`, 'Look at the logs of the app, then retry.');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
