import type { HttpResponseInit } from '@azure/functions';

import type { PauseResult } from './pauseRun.ts';
import { runNotFound } from './runReplies.ts';

/** What an HTTP caller is told of a suspend or resume; `refusal` for a run that is not in a state for it. */
export function pauseReply(
  runId: string,
  result: PauseResult,
  refusal: { readonly code: string; readonly message: string },
): HttpResponseInit {
  switch (result.status) {
    case 'unknown':
      return { status: 404, jsonBody: runNotFound(runId) };
    case 'done':
      return { status: 202, jsonBody: result.run };
    case 'refused':
      return { status: 409, jsonBody: { error: refusal, run: result.run } };
    case 'ended':
      return {
        status: 409,
        jsonBody: {
          error: { code: 'runEnded', message: `The run has ended (${result.run.state}).` },
          run: result.run,
        },
      };
    default: {
      const never: never = result;
      throw new Error(`unknown result ${JSON.stringify(never)}`);
    }
  }
}
