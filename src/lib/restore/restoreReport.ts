/** What the report of a restore, a drill or a delete-all says. */

import type { ReportOptions } from '../work/reportStage.ts';
import { notesOf } from './restoreNotes.ts';
import { sayRestore } from './restoreTexts.ts';

export const RESTORE_REPORT: ReportOptions = {
  result(record) {
    const { plan, differences, backup } = notesOf(record);
    return {
      ...plan?.counts,
      ...(backup === undefined ? {} : { backup }),
      ...(differences === undefined ? {} : { differences }),
      ...(plan === undefined ? {} : { changes: plan.changes }),
    };
  },
  left: (record) => notesOf(record).differences ?? 0,
  failure: ({ kind }, count) => (kind === 'drill' ? sayRestore('drillDiffers', { count }) : undefined),
};
