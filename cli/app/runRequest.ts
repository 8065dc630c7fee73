import type { RunRecord } from '../../src/lib/runKinds.ts';
import { isFinal } from '../../src/lib/runs/runRecord.ts';
import { CliError, usageError } from '../cliError.ts';
import { EXIT } from '../exitCode.ts';
import type { CommandText } from '../render/commandText.ts';
import { shortId, stateText } from '../render/runWords.ts';
import { demandApi, postTo } from './apiCall.ts';
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

/**
 * Asks the app for something about the run whose id begins with `id`.
 *
 * @returns the run as it was before
 * @throws CliError when the app cannot be asked, or refuses
 */
export async function requestOfRun(id: string, data: string | undefined, request: RunRequest): Promise<RunRecord> {
  const connection = await connect({ data });
  const api = demandApi(connection, request.doing);
  const record = await findRun(connection, id);
  if (isFinal(record.state)) throw tooLate(connection, record, request);
  const refused = await send(api, record.runId, request, connection.command);
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
  const { status, text } = await postTo(api, `runs/${runId}/${verb}`);
  if (status < 300) return 'accepted';
  switch (status) {
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
        `The app answered ${status}: run ${runId} may not be ${done}.`,
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
