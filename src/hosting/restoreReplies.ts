/** HTTP replies to what starts a plan, a restore, a drill or a delete-all. */

import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { defined } from '../lib/defined.ts';
import type { RESTORE_TEXTS } from '../lib/restore/restoreTexts.ts';
import type { WORK_TEXTS } from '../lib/work/workErrors.ts';
import { WorkRefused } from '../lib/work/workRefused.ts';
import { answerAboutBackup } from './backupReplies.ts';

type Code = keyof typeof RESTORE_TEXTS | keyof typeof WORK_TEXTS;

/** What a request itself is refused for; all else ends a run. */
export const REFUSED_STATUS: Readonly<Partial<Record<Code, number>>> = {
  requestInvalid: 400,
  hubUnknown: 400,
  notConfirmed: 409,
  backupOfOtherHub: 409,
};

/**
 * 202 with the record of the run that was begun, or what is wrong with the request, the backup or the confirmation; then
 * nothing was changed, and there is no run.
 *
 * @param start begins the run that the body asks for
 */
export async function answerToRestore(
  request: HttpRequest,
  start: (body: unknown) => Promise<object>,
): Promise<HttpResponseInit> {
  const text = await request.text();
  try {
    return await answerAboutBackup(async () => ({ status: 202, jsonBody: await start(parsed(text)) }));
  } catch (error) {
    if (!(error instanceof WorkRefused)) throw error;
    const { code, message, action, confirm } = error;
    const status = REFUSED_STATUS[code as Code] ?? 409;
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
