import { isFinal } from '../../src/lib/provisioning/runRecord.ts';
import { safeError } from '../../src/lib/redact.ts';
import { CliError, usageError } from '../cliError.ts';
import { type Api, connect } from '../connection.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { findRun } from '../findRun.ts';
import type { Output } from '../output.ts';
import { stateText } from '../runText.ts';

export interface CancelFlags {
  readonly data?: string;
}

const TIMEOUT_MS = 30_000;

/** `cancel ID`: asks the app to stop a run. What the hub has already applied stays. */
export async function cancel(id: string, flags: CancelFlags, output: Output): Promise<ExitCode> {
  const connection = await connect({ data: flags.data });
  if (connection.api === undefined) {
    throw usageError(
      'HUBKEEPER_API is not set: cancelling goes through the HTTP API of the app.',
      'Set it to https://APP.azurewebsites.net/api, and HUBKEEPER_API_KEY to a function key.',
    );
  }
  const record = await findRun(connection, id);
  if (isFinal(record.state)) {
    throw usageError(`Run ${record.runId} is over: ${stateText(record.state)}.`, `See hubkeeper run ${record.runId}.`);
  }
  await requestCancel(connection.api, record.runId);
  output.print(`Cancelling run ${record.runId}. Watch it with: hubkeeper run ${record.runId} --watch`);
  output.printJson({ runId: record.runId, cancelRequested: true });
  return EXIT.ok;
}

async function requestCancel(api: Api, runId: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`${api.url}/runs/${runId}/cancel`, {
      method: 'POST',
      headers: api.key === undefined ? {} : { 'x-functions-key': api.key },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // Read to its end, so that the connection is free.
    await response.arrayBuffer();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CliError(
      EXIT.failed,
      `The app at ${api.url} cannot be reached: ${safeError(cause).message}`,
      'Check HUBKEEPER_API and the network.',
    );
  }
  if (response.ok) return;
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
      throw usageError(`Run ${runId} is over already.`, `See hubkeeper run ${runId}.`);
    default:
      throw new CliError(
        EXIT.failed,
        `The app answered ${response.status}: run ${runId} may not be cancelled.`,
        'Look at the logs of the app, and try again.',
      );
  }
}
