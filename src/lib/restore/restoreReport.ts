/** What the report of a restore, a drill or a delete-all says. */

import { defined } from '../defined.ts';
import type { ReportOptions } from '../work/reportStage.ts';
import { requestOf } from '../work/request.ts';
import { differencesBlob } from './checkAfter.ts';
import type { RestoreRequest } from './requests.ts';
import { notesOf } from './restoreNotes.ts';
import { sayRestore } from './restoreTexts.ts';

export const RESTORE_REPORT: ReportOptions = {
  result(record) {
    const { plan, differences, backup } = notesOf(record);
    const asked = requestOf<Partial<RestoreRequest>>(record);
    // A delete-all names the backup that it has made.
    return defined({ ...plan?.counts, backup: backup ?? asked.backup, mode: asked.mode, differences });
  },
  files(record) {
    const { plan, differences } = notesOf(record);
    return defined({
      changes: plan?.changes,
      differences: differences === undefined ? undefined : differencesBlob(record),
    });
  },
  left(record) {
    const { plan, differences } = notesOf(record);
    // What was kept differs in the end, too.
    return differences ?? plan?.counts.kept?.count ?? 0;
  },
  failure: ({ kind }, count) => (kind === 'drill' ? sayRestore('drillDiffers', { count }) : undefined),
};
