/** The stages by which work changes a hub: its lines, then what no line does, then its report. */

import { applyStages, endOfApplied, fileOfLines, readApplied } from './applyStages.ts';
import { type ReportOptions, reportStage } from './reportStage.ts';
import type { RestPart } from './restParts.ts';
import { restStage } from './restStages.ts';
import type { Stage } from './stage.ts';
import type { WorkRun } from './workRun.ts';

export interface ChangeStagesOptions {
  /** Name of the blob of lines in the container of the run; undefined: there are none. */
  lines(record: WorkRun): string | undefined;
  rest(record: WorkRun): readonly RestPart[];
  /** The stage that follows the rest. Default: the report. */
  readonly next?: string;
  readonly report: ReportOptions;
}

/** Stages `apply` to `report`: to be entered by the first. */
export function changeStages({
  lines,
  rest,
  next = 'report',
  report,
}: ChangeStagesOptions): Readonly<Record<string, Stage>> {
  return {
    ...applyStages({
      async file(context, record) {
        const blobName = lines(record);
        return blobName === undefined ? undefined : fileOfLines(context, record, blobName);
      },
      next: 'applied',
    }),
    applied: {
      whenCancelled: true,
      async work(context, { appliedBy }) {
        const applied = appliedBy === undefined ? undefined : await readApplied(context, appliedBy);
        // Without the lines the rest would be put on something else.
        return { go: endOfApplied(applied) === undefined ? 'rest' : 'report' };
      },
    },
    ...restStage({ rest, next }),
    report: reportStage(report),
  };
}
