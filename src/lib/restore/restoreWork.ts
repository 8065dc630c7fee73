/**
 * What a plan, a restore and a drill do: the backup is verified, the hub exported and compared with it; then the lines are
 * applied by a run of its own, and the rest follows.
 */

import { hubOf } from '../runs/runRecord.ts';
import { writeJson } from '../storage/jsonBlob.ts';
import { RESULTS_CONTAINER } from '../storage/storage.ts';
import { demandAloneOnHub } from '../work/aloneOnHub.ts';
import { changeStages } from '../work/changeStages.ts';
import { exportStages, snapshotIn } from '../work/exportStages.ts';
import { demandConfirmed, requestOf } from '../work/request.ts';
import { resultFolder } from '../work/resultFolder.ts';
import type { KindOfWork, Stage, StageReply } from '../work/stage.ts';
import { enterPhase } from '../work/workNotes.ts';
import { orRefused, WorkRefused } from '../work/workRefused.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { countDifferences } from './checkAfter.ts';
import { compareStage, keysOf } from './compareStage.ts';
import { openingWith } from './openStage.ts';
import { deletesOf } from './planTally.ts';
import type { RestoreRequest } from './requests.ts';
import { note, notesOf, planOf } from './restoreNotes.ts';
import { RESTORE_REPORT } from './restoreReport.ts';
import { restoreRefused } from './restoreTexts.ts';
import type { WrittenPlan } from './writePlan.ts';

const exportBefore = exportStages({ keys: keysOf, next: 'compare' });

/** Shows what a restore would do: nothing is changed. */
export const PLAN_WORK: KindOfWork = {
  first: 'open',
  stages: {
    open: { work: openingWith('export') },
    ...exportBefore,
    compare: compareStage(async (context, record, { counts, changes }) => {
      const { runId, kind, hub, request } = record;
      const { backup, mode = 'exact' } = requestOf<RestoreRequest>(record);
      const result = { ...counts, backup, mode, changes };
      const json = `${resultFolder(record)}/report.json`;
      const blob = context.storage.container(RESULTS_CONTAINER).getBlockBlobClient(json);
      await writeJson(blob, { runId, kind, hub, request, result });
      return { end: 'completed', fields: { result, report: { container: RESULTS_CONTAINER, json, changes } } };
    }),
  },
};

export const RESTORE_WORK: KindOfWork = {
  first: 'open',
  stages: {
    open: {
      work: openingWith('export', async (context, record) => {
        demandConfirmed(context.hub(hubOf(record)), requestOf<RestoreRequest>(record).confirm);
        await demandAloneOnHub(context, hubOf(record), record);
      }),
    },
    ...exportBefore,
    compare: compareStage(onlyAsAsked),
    ...applyingStages(),
  },
};

export const DRILL_WORK: KindOfWork = {
  first: 'open',
  stages: {
    open: { work: openingWith('export', (context, record) => demandAloneOnHub(context, hubOf(record), record)) },
    ...exportStages({ keys: keysOf, next: 'empty' }),
    empty: { work: demandEmpty },
    compare: compareStage(onlyAsAsked),
    ...applyingStages(),
  },
};

/** From the plan on: the lines, the rest, the comparison in the end where it is wanted, the report. */
function applyingStages(): Readonly<Record<string, Stage>> {
  return {
    ...changeStages({
      lines: (record) => planOf(record).lines?.blobName,
      rest: (record) => planOf(record).rest,
      next: 'restDone',
      report: RESTORE_REPORT,
    }),
    restDone: {
      whenCancelled: true,
      work: async (_context, record) => {
        const isWanted = record.kind === 'drill' || requestOf<RestoreRequest>(record).check === true;
        return { go: isWanted && record.cancelRequestedAt === undefined ? 'exportAfter' : 'report' };
      },
    },
    // What was restored is told all the same where it cannot be compared.
    ...exportStages({ job: 'exportAfter', keys: keysOf, next: 'differences', failed: 'report' }),
    differences: {
      failed: 'report',
      async work(context, record) {
        await enterPhase(context, record.runId, 'check');
        await note(context, record.runId, { differences: await countDifferences(context, record) });
        return { go: 'report' };
      },
    },
  };
}

async function onlyAsAsked(_context: WorkContext, record: WorkRun, { counts }: WrittenPlan): Promise<StageReply> {
  const { backup, newKeys, mostDeletes } = requestOf<RestoreRequest>(record);
  return orRefused(async () => {
    if (counts.notFound?.all) throw new WorkRefused(counts.notFound);
    const count = counts.lost.keys;
    if (count > 0 && newKeys !== true) throw restoreRefused('newKeysNeeded', { count, backup });
    const deletes = deletesOf(counts);
    if (mostDeletes !== undefined && deletes > mostDeletes) {
      throw restoreRefused('moreDeletes', { deletes, most: mostDeletes });
    }
    return { go: 'apply' };
  });
}

async function demandEmpty(context: WorkContext, record: WorkRun): Promise<StageReply> {
  // A run that is started anew has begun to fill it.
  if (notesOf(record).plan !== undefined) return { go: 'compare' };
  return orRefused(async () => {
    const client = context.hub(hubOf(record));
    const { identities } = snapshotIn(record);
    const configurations = (await client.listConfigurations()).length;
    if (identities + configurations === 0) return { go: 'compare' };
    throw restoreRefused('hubNotEmpty', { hub: client.hubName, identities, configurations });
  });
}
