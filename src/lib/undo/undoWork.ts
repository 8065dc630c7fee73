/**
 * What an undo does: what the run has done is read, then what the hub has now; the plan that comes of both with the
 * pre-image is applied by a run of its own, and the rest follows.
 */

import { openStaging, snapshotPlace } from '../runs/runContainer.ts';
import { hubOf } from '../runs/runRecord.ts';
import { RESULTS_CONTAINER } from '../storage/storage.ts';
import { demandAloneOnHub } from '../work/aloneOnHub.ts';
import { changeStages } from '../work/changeStages.ts';
import { exportStages } from '../work/exportStages.ts';
import { demandConfirmed, requestOf } from '../work/request.ts';
import type { KindOfWork, Stage, StageReply } from '../work/stage.ts';
import { enterPhase, type SharedNotes, workNotes } from '../work/workNotes.ts';
import { orRefused } from '../work/workRefused.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { readLive } from './readLive.ts';
import type { AskedUndo } from './undoRequest.ts';
import { preImageLines, type UndoResult, type WrittenUndo, writeUndoPlan } from './writeUndoPlan.ts';

interface UndoNotes extends SharedNotes {
  readonly plan?: WrittenUndo;
}

const { notesOf, noteOnce } = workNotes<UndoNotes>();

/** The hub is exported where what has to be known of it cannot be read one by one. */
const LIVE_STAGES: Readonly<Record<string, Stage>> = {
  live: { work: readLiveStage },
  ...exportStages({ keys: () => 'included', next: 'plan' }),
};

/** Shows what an undo would do: nothing is changed. */
export const UNDO_PLAN_WORK: KindOfWork = {
  first: 'live',
  stages: {
    ...LIVE_STAGES,
    plan: {
      work: planStage((record, plan) => ({
        end: 'completed',
        fields: { result: { ...resultOf(record, plan) }, report: { container: RESULTS_CONTAINER, json: plan.changes } },
      })),
    },
  },
};

export const UNDO_WORK: KindOfWork = {
  first: 'confirmed',
  stages: {
    confirmed: { work: confirmed },
    ...LIVE_STAGES,
    plan: { work: planStage(() => ({ go: 'apply' })) },
    ...changeStages({
      lines: (record) => planOf(record).lines,
      rest: (record) => planOf(record).rest,
      report: {
        result: (record) => {
          const { plan } = notesOf(record);
          return plan === undefined ? {} : { ...resultOf(record, plan) };
        },
        left: (record) => {
          const { counts } = planOf(record);
          return counts.foreign + counts.configurations.foreign;
        },
      },
    }),
  },
};

async function confirmed(context: WorkContext, record: WorkRun): Promise<StageReply> {
  return orRefused(async () => {
    demandConfirmed(context.hub(hubOf(record)), requestOf<AskedUndo>(record).confirm);
    await demandAloneOnHub(context, hubOf(record), record);
    return { go: 'live' };
  });
}

async function readLiveStage(context: WorkContext, record: WorkRun): Promise<StageReply> {
  await enterPhase(context, record.runId, 'compare');
  return orRefused(async () => {
    if (record.snapshots?.export !== undefined) return { go: 'plan' };
    const effects = await context.readEffects(requestOf<AskedUndo>(record).of);
    await openStaging(context, record.runId);
    const before = preImageLines(context, effects)?.lines();
    const live = await readLive(snapshotPlace(context, record), 'live', effects, before);
    if (live === 'export') return { go: 'export' };
    await context.runs.update(record.runId, (current) => ({
      ...current,
      snapshots: { export: live, ...current.snapshots },
    }));
    return { go: 'plan' };
  });
}

function planStage(follow: (record: WorkRun, plan: WrittenUndo) => StageReply): Stage['work'] {
  return async (context, record) => {
    const known = notesOf(record).plan;
    if (known !== undefined) return follow(record, known);
    await enterPhase(context, record.runId, 'compare');
    return orRefused(async () => {
      const { of, force = false } = requestOf<AskedUndo>(record);
      const plan = await writeUndoPlan(context, record, { effects: await context.readEffects(of), force });
      // Two may be at it: what one of them has noted is what counts.
      const noted = await noteOnce(context, record.runId, { plan });
      return follow(noted, planOf(noted));
    });
  };
}

/** @throws Error when the stages were taken out of order */
function planOf(record: WorkRun): WrittenUndo {
  const { plan } = notesOf(record);
  if (plan === undefined) throw new Error(`The run ${record.runId} has no plan.`);
  return plan;
}

function resultOf(record: WorkRun, { counts, notes, changes }: WrittenUndo): UndoResult {
  const { run, force = false } = requestOf<AskedUndo>(record);
  return { ...counts, run, force, notes, changes };
}
