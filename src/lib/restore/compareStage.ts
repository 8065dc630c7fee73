/** The stage that compares the hub with a backup, and keeps the plan that comes of it. */

import type { SnapshotKeys } from '../registryLines/snapshot.ts';
import { snapshotIn } from '../work/exportStages.ts';
import { requestOf } from '../work/request.ts';
import type { Stage, StageReply } from '../work/stage.ts';
import { enterPhase } from '../work/workNotes.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { devicesNamed } from './only.ts';
import type { PlanRequest } from './requests.ts';
import type { RestoreMode } from './restoreMode.ts';
import { noteOnce, notesOf } from './restoreNotes.ts';
import { wantedOfBackup } from './wanted.ts';
import { type WrittenPlan, writePlan } from './writePlan.ts';

/** Which identities, and how far: what a drill and a plan mean where nothing is said. */
export function meantBy(record: WorkRun) {
  const { backup, mode = 'exact', only } = requestOf<PlanRequest>(record);
  return { backup, mode: mode as RestoreMode, named: devicesNamed(only) };
}

/** @param then what follows from the plan */
export function compareStage(
  then: (context: WorkContext, record: WorkRun, plan: WrittenPlan) => Promise<StageReply> | StageReply,
): Stage {
  const work: Stage['work'] = async (context, record): Promise<StageReply> => {
    const known = notesOf(record).plan;
    if (known !== undefined) return then(context, record, known);
    await enterPhase(context, record.runId, 'compare');
    const { backup, mode, named } = meantBy(record);
    const wanted = await wantedOfBackup(context.storage, backup, notesOf(record).verified);
    const plan = await writePlan(context, record, {
      live: snapshotIn(record),
      wanted,
      mode,
      named,
      toShow: record.kind === 'plan',
    });
    // Two may be at it: what one of them has noted is what counts.
    const noted = await noteOnce(context, record.runId, { plan });
    return then(context, noted, notesOf(noted).plan ?? plan);
  };
  return { work };
}

/** As the backup has them. */
export function keysOf(record: WorkRun): SnapshotKeys {
  return notesOf(record).keys ?? 'excluded';
}
