/** HTTP replies to what starts a plan, a restore, an undo, a drill or a delete-all. */

import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { codeOf } from '../lib/codeText.ts';
import { defined } from '../lib/defined.ts';
import { HubKeeperError } from '../lib/errors.ts';
import { EFFECT_TEXTS } from '../lib/runs/runEffects.ts';
import { answerAboutBackup } from './backupReplies.ts';
import { readBody } from './readBody.ts';

const CONFLICT = 409;

/** What a request itself is refused for, by code; all else ends a run. */
export const REFUSED_STATUS: Readonly<Record<string, number>> = {
  requestInvalid: 400,
  hubUnknown: 400,
  notConfirmed: CONFLICT,
  backupOfOtherHub: CONFLICT,
  ...Object.fromEntries(Object.keys(EFFECT_TEXTS).map((key) => [codeOf(key), CONFLICT])),
  undoUnknownRun: 404,
  hubBeingChanged: CONFLICT,
  recordDamaged: CONFLICT,
  mirrorOff: CONFLICT,
};

/**
 * 202 with the record of the run that was begun, or what is wrong with the request, the backup, the run or the
 * confirmation; then nothing was changed, and there is no run.
 *
 * @param start begins the run that the body asks for
 */
export async function answerToWork(
  request: HttpRequest,
  start: (body: unknown) => Promise<object>,
): Promise<HttpResponseInit> {
  const body = await readBody(request);
  return orRefusal(() => answerAboutBackup(async () => ({ status: 202, jsonBody: await start(body) })));
}

/** The reply of `answer`, or what its request is refused for. */
export async function orRefusal(answer: () => Promise<HttpResponseInit>): Promise<HttpResponseInit> {
  try {
    return await answer();
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    return refused;
  }
}

/** The reply that tells of an error for which a request is refused; undefined: it is another. */
export function refusalOf(error: unknown): HttpResponseInit | undefined {
  if (!(error instanceof HubKeeperError)) return undefined;
  const { code, message, action } = error;
  const status = REFUSED_STATUS[code];
  if (status === undefined) return undefined;
  const confirm = 'confirm' in error && typeof error.confirm === 'string' ? error.confirm : undefined;
  return { status, jsonBody: { error: { code, message, action, ...defined({ confirm }) } } };
}
