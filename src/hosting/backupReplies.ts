/** HTTP replies about backups. */

import type { HttpResponseInit } from '@azure/functions';

import { BackupError, type BackupErrorCode } from '../lib/backup/backupErrors.ts';

const UNKNOWN: BackupErrorCode = 'backupUnknown';

/** The status of a reply that says what is wrong with a backup. */
export function backupStatus(code: string): number {
  return code === UNKNOWN ? 404 : 409;
}

/** The reply of `answer`, or what is wrong with the backup that it is about. */
export async function answerAboutBackup(answer: () => Promise<HttpResponseInit>): Promise<HttpResponseInit> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    const { code, message, action } = error;
    return { status: backupStatus(code), jsonBody: { error: { code, message, action } } };
  }
}
