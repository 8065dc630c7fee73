/** The end of a reconcile: what has drifted, one line of JSON each, its report, and what status tells of it. */

import { hubOf } from '../../runs/runRecord.ts';
import { ensureContainer } from '../../storage/ensureContainer.ts';
import { writeJson } from '../../storage/jsonBlob.ts';
import { writeLines } from '../../storage/ndjson.ts';
import { RESULTS_CONTAINER } from '../../storage/storage.ts';
import { resultFolder } from '../../work/resultFolder.ts';
import type { StageReply } from '../../work/stage.ts';
import { enterPhase } from '../../work/workNotes.ts';
import type { WorkContext, WorkRun } from '../../work/workRun.ts';
import { writeLastReconcile } from '../notes/lastReconcile.ts';
import { workedPieces } from './compareStage.ts';
import { NO_DRIFT } from './countDrift.ts';
import { isDryRun, notesOf, type ReconcileResult } from './reconcileNotes.ts';

/** Stage `report`: ends the run. */
export async function endWithReport(context: WorkContext, record: WorkRun): Promise<StageReply> {
  await enterPhase(context, record.runId, 'report');
  const { runId, kind, hub, request } = record;
  const results = context.storage.container(RESULTS_CONTAINER);
  await ensureContainer(results);
  const folder = resultFolder(record);
  const drift = `${folder}/drift.ndjson`;
  await writeLines(results.getBlockBlobClient(drift), driftLines(context, record));
  const result = resultOf(record);
  const json = `${folder}/report.json`;
  await writeJson(results.getBlockBlobClient(json), { runId, kind, hub, request, result });
  await writeLastReconcile(context.storage, hubOf(record), {
    runId,
    at: context.now().toISOString(),
    ...result,
  });
  return {
    end: 'completed',
    fields: { result: { ...result }, report: { container: RESULTS_CONTAINER, json, drift } },
  };
}

async function* driftLines(context: WorkContext, record: WorkRun): AsyncGenerator<string, void> {
  for await (const { findings } of workedPieces(context, record)) {
    for (const finding of findings) if (finding.drift !== undefined) yield JSON.stringify(finding);
  }
}

function resultOf(record: WorkRun): ReconcileResult {
  const { backup, begunAt = '', split, counts = NO_DRIFT } = notesOf(record);
  return {
    ...counts,
    dryRun: isDryRun(record),
    identities: split?.identities ?? 0,
    ...(backup === undefined ? { from: 'export' as const } : { from: 'backup' as const, backup }),
    begunAt,
  };
}
