/** What the status of the mirror has to say, as a table. */

import { MIRROR_STATUS_TEXTS, UNHEALTHY } from '../../src/lib/mirror/status/statusTexts.ts';
import { table } from './markdown.ts';
import { cellsOf } from './outcomes.ts';

export function renderMirrorNotes(): string {
  return table(
    ['code', 'what happened', 'what to do', 'health'],
    Object.entries(MIRROR_STATUS_TEXTS).map(([key, text]) => {
      const [code = '', says = '', action = ''] = cellsOf(key, text);
      return [code, says, action, UNHEALTHY.includes(key) ? '503' : ''];
    }),
  );
}
