/** HTTP replies to what starts a plan, a restore, an undo, a drill or a delete-all. */

import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { codeOf } from '../lib/codeText.ts';
import { defined } from '../lib/defined.ts';
import { HubKeeperError } from '../lib/errors.ts';
import { EFFECT_TEXTS } from '../lib/runs/runEffects.ts';
import { answerAboutBackup } from './backupReplies.ts';

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
  const text = await request.text();
  return orRefusal(() => answerAboutBackup(async () => ({ status: 202, jsonBody: await start(parsed(text)) })));
}

/** The reply of `answer`, or what its request is refused for. */
export async function orRefusal(answer: () => Promise<HttpResponseInit>): Promise<HttpResponseInit> {
  try {
    return await answer();
  } catch (error) {
    const status = error instanceof HubKeeperError ? REFUSED_STATUS[error.code] : undefined;
    if (!(error instanceof HubKeeperError) || status === undefined) throw error;
    const { code, message, action } = error;
    const confirm = 'confirm' in error && typeof error.confirm === 'string' ? error.confirm : undefined;
    return { status, jsonBody: { error: { code, message, action, ...defined({ confirm }) } } };
  }
}

function parsed(text: string): unknown {
  try {
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}
