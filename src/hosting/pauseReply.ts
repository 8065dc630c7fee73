import type { HttpResponseInit } from '@azure/functions';
import { apiError } from './apiTexts.ts';
import type { PauseResult } from './pauseRun.ts';
import { runNotFound } from './runReplies.ts';

/** What an HTTP caller is told of a suspend or resume; `refusal` for a run that is not in a state for it. */
export function pauseReply(
  runId: string,
  result: PauseResult,
  refusal: 'runNotStarted' | 'runNotSuspended',
): HttpResponseInit {
  switch (result.status) {
    case 'unknown':
      return runNotFound(runId);
    case 'done':
      return { status: 202, jsonBody: result.run };
    case 'refused':
      return apiError(refusal, [], result.run);
    case 'ended':
      return apiError('runEnded', [{ state: result.run.state }], result.run);
    default: {
      const never: never = result;
      throw new Error(`unknown result ${JSON.stringify(never)}`);
    }
  }
}
