/** What the report of a restore, a drill or a delete-all says. */

import { countText } from '../countText.ts';
import { defined } from '../defined.ts';
import type { ReportOptions } from '../work/reportStage.ts';
import { requestOf } from '../work/request.ts';
import { differencesBlob } from './checkAfter.ts';
import type { RestoreRequest } from './requests.ts';
import { notesOf } from './restoreNotes.ts';
import { sayRestore } from './restoreTexts.ts';

export const RESTORE_REPORT: ReportOptions = {
  result(record) {
    const { plan, differences, backup, keys } = notesOf(record);
    const asked = requestOf<Partial<RestoreRequest>>(record);
    // A delete-all names the backup that it has made, and says whether devices come back from it with their keys.
    const made = backup === undefined ? {} : { backup, keys };
    return defined({ ...plan?.counts, backup: asked.backup, mode: asked.mode, differences, ...made });
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
    const { kept, rejected = 0, notFound } = plan?.counts ?? {};
    // What was kept, and what could not be compared, differs in the end, too.
    return (notFound?.names.length ?? 0) + (differences ?? (kept?.count ?? 0) + rejected);
  },
  failure(record, count) {
    if (record.kind !== 'drill') return undefined;
    // What has failed is among the differences.
    return sayRestore('drillDiffers', { count: countText(notesOf(record).differences || count) });
  },
};
