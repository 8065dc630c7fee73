/** The errors of the HTTP API: status, code and sentence. A record that is damaged has its own (`runs/parseRunRecord.ts`). */

import type { HttpResponseInit } from '@azure/functions';
import { type CodeText, type Filling, speakerOf } from '../lib/codeText.ts';
import { defined } from '../lib/defined.ts';
import type { RunBase } from '../lib/runs/runRecord.ts';

export interface ApiText extends CodeText {
  readonly status: number;
}

export const API_TEXTS = {
  limitInvalid: { status: 400, says: 'limit must be a whole number from 1 to {most}.', doc: { action: 'Correct it.' } },
  hubNeeded: {
    status: 400,
    says: 'The app has several hubs: {hubs}. Name the one that is meant: hub in a request, --hub in a command.',
    doc: { action: 'Give hub.' },
  },
  hubUnknown: { status: 400, says: 'The app has no such hub. It has: {hubs}.', doc: { action: 'Correct it.' } },
  runIdInvalid: {
    status: 400,
    says: 'The id of a run has 20 characters, 0 to 9 and a to f. GET /api/runs lists the latest.',
    doc: { action: 'Look at the list of runs.' },
  },
  runNotFound: { status: 404, says: 'There is no run {run}.', doc: { action: 'Look at the list of runs.' } },
  runEnded: { status: 409, says: 'The run has ended ({state}).' },
  'runEnded:cancel': { status: 409, says: 'The run has ended ({state}): there is nothing to cancel.' },
  runNotStarted: {
    status: 409,
    says: 'The run has no orchestration yet: retry in a moment.',
    doc: { action: 'Retry in a moment.' },
  },
  runNotSuspended: { status: 409, says: 'The run is not suspended: there is nothing to resume.' },
} as const satisfies Record<string, ApiText>;

const say = speakerOf(API_TEXTS);

/** The reply that refuses a request; with the record of the run, where there is one. */
export function apiError<Key extends keyof typeof API_TEXTS>(
  key: Key,
  filling: Filling<(typeof API_TEXTS)[Key]>,
  run?: RunBase,
): HttpResponseInit {
  return {
    status: API_TEXTS[key].status,
    jsonBody: { error: say(key, ...filling), ...defined({ run }) },
  };
}
