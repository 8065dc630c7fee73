/** The errors of the HTTP API, as a table. */

import { API_TEXTS, type ApiText } from '../../src/hosting/apiTexts.ts';
import { backupStatus } from '../../src/hosting/backupReplies.ts';
import { MIRROR_STATUS } from '../../src/hosting/mirrorReplies.ts';
import { REFUSED_STATUS } from '../../src/hosting/workReplies.ts';
import { BACKUP_TEXTS } from '../../src/lib/backup/backupErrors.ts';
import { codeOf } from '../../src/lib/codeText.ts';
import { RECORD_TEXTS } from '../../src/lib/runs/parseRunRecord.ts';
import { code, table } from './markdown.ts';

/** A damaged record is answered so by every call about its run (`answerAbout`). */
const DAMAGED_STATUS = 409;

export function renderApiErrors(): string {
  const statuses = new Map(
    Object.entries<ApiText>(API_TEXTS).map(([key, { status }]) => [key.split(':')[0] ?? '', status]),
  );
  for (const name of Object.keys(BACKUP_TEXTS).map(codeOf)) statuses.set(name, backupStatus(name));
  for (const [name, status] of Object.entries(REFUSED_STATUS)) statuses.set(name, status);
  for (const [name, status] of Object.entries(MIRROR_STATUS)) statuses.set(name, status);
  for (const key of Object.keys(RECORD_TEXTS)) statuses.set(key, DAMAGED_STATUS);
  const rows = [...statuses].toSorted(([, a], [, b]) => a - b);
  return table(
    ['status', 'code'],
    rows.map(([name, status]) => [String(status), code(name)]),
  );
}
