import { safeError } from '../../src/lib/redact.ts';
import type { RunRecord } from '../../src/lib/runKinds.ts';
import { isFinal } from '../../src/lib/runs/runRecord.ts';
import { CliError, usageError } from '../cliError.ts';
import { EXIT } from '../exitCode.ts';
import type { CommandText } from '../render/commandText.ts';
import { shortId, stateText } from '../render/runWords.ts';
import { type Api, type Connection, connect } from './connection.ts';
import { findRun } from './findRun.ts';

/** What can be asked of the app about a run that goes on. */
export interface RunRequest {
  /** The last part of the route. */
  readonly verb: 'cancel' | 'suspend' | 'resume';
  /** `cancelling`, as in "cancelling goes through the HTTP API". */
  readonly doing: string;
  /** `cancelled`, as in "may not be cancelled". */
  readonly done: string;
}

const TIMEOUT_MS = 60_000;

/**
 * Asks the app for something about the run whose id begins with `id`.
 *
 * @returns the run as it was before
 * @throws CliError when the app cannot be asked, or refuses
 */
export async function requestOfRun(id: string, data: string | undefined, request: RunRequest): Promise<RunRecord> {
  const connection = await connect({ data });
  if (connection.api === undefined) {
    throw usageError(
      `HUBKEEPER_API is not set: ${request.doing} goes through the HTTP API of the app.`,
      'Set it to https://APP.azurewebsites.net/api, and HUBKEEPER_API_KEY to a function key.',
    );
  }
  const record = await findRun(connection, id);
  if (isFinal(record.state)) throw tooLate(connection, record, request);
  const refused = await send(connection.api, record.runId, request, connection.command);
  if (refused !== 'ended') return record;
  // It has ended since it was read.
  throw tooLate(connection, (await connection.runs.read(record.runId)) ?? record, request);
}

function tooLate({ command }: Connection, { runId, state }: RunRecord, { verb }: RunRequest): CliError {
  const how = isFinal(state) ? ` (${stateText(state)})` : '';
  return usageError(
    `Run ${runId} is over already${how}: the ${verb} came too late.`,
    `See ${command('run', shortId(runId))}.`,
  );
}

/** @returns whether the run has ended, and so could not be asked */
async function send(
  api: Api,
  runId: string,
  { verb, done }: RunRequest,
  command: CommandText,
): Promise<'accepted' | 'ended'> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${api.url}/runs/${runId}/${verb}`, {
      method: 'POST',
      headers: api.key === undefined ? {} : { 'x-functions-key': api.key },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CliError(
      EXIT.failed,
      `The app at ${api.url} cannot be reached: ${safeError(cause).message}`,
      'Check HUBKEEPER_API and the network.',
    );
  }
  if (response.ok) return 'accepted';
  switch (response.status) {
    case 401:
    case 403:
      throw usageError(
        `The app at ${api.url} refused the key (${response.status}).`,
        'Set HUBKEEPER_API_KEY to a function key or host key of the app.',
      );
    case 404:
      throw usageError(
        `The app at ${api.url} knows no run ${runId}.`,
        'Check that HUBKEEPER_API and HUBKEEPER_STORAGE belong to the same app.',
      );
    case 409:
      return conflict(runId, text, command);
    default:
      throw new CliError(
        EXIT.failed,
        `The app answered ${response.status}: run ${runId} may not be ${done}.`,
        'Look at the logs of the app, then retry.',
      );
  }
}

function conflict(runId: string, text: string, command: CommandText): 'ended' {
  switch (/"code":"(\w+)"/.exec(text)?.[1]) {
    case 'runNotStarted':
      throw usageError(`Run ${runId} has not begun yet.`, 'Retry in a moment.');
    case 'runNotSuspended':
      throw usageError(`Run ${runId} is not suspended.`, `See ${command('run', shortId(runId))}.`);
    default:
      return 'ended';
  }
}
