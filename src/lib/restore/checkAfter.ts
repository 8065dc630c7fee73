/** What a hub has come to, compared with what was wanted. */

import { tmpdir } from 'node:os';

import { defined } from '../defined.ts';
import { changeRecord } from '../registryLines/changeForms.ts';
import { compareSnapshots } from '../registryLines/compareSnapshots.ts';
import { hubOf } from '../runs/runRecord.ts';
import { createBlockWriter } from '../storage/blockWriter.ts';
import { RESULTS_CONTAINER } from '../storage/storage.ts';
import { snapshotIn } from '../work/exportStages.ts';
import { resultFolder } from '../work/resultFolder.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { comparedSides } from './comparedSides.ts';
import { meantBy } from './compareStage.ts';
import { rejectedRow } from './planRows.ts';
import { modeDoes } from './restoreMode.ts';
import { notesOf } from './restoreNotes.ts';
import { configurationRows } from './restRows.ts';
import { wantedOfBackup } from './wanted.ts';

export function differencesBlob(record: WorkRun): string {
  return `${resultFolder(record)}/differences.ndjson`;
}

/** Counts what is left to do, and writes it beside the report: nothing is, if all was restored. */
export async function countDifferences(context: WorkContext, record: WorkRun): Promise<number> {
  const { backup, mode, named } = meantBy(record);
  const { only } = named;
  const wanted = await wantedOfBackup(context.storage, backup, notesOf(record).verified);
  const sides = await comparedSides(context, record, { live: snapshotIn(record, 'exportAfter'), wanted });
  const told = createBlockWriter(
    context.storage.container(RESULTS_CONTAINER).getBlockBlobClient(differencesBlob(record)),
  );
  let count = 0;
  const comparison = compareSnapshots(sides.live, sides.wanted, {
    folder: tmpdir(),
    ...defined({ only }),
    // What cannot be compared was not restored, or nobody can tell.
    rejected: (line) => {
      count += 1;
      told.writeLine(0, JSON.stringify(rejectedRow(line)));
    },
  });
  for await (const change of comparison.changes()) {
    if (!modeDoes(mode, change.change)) continue;
    count += 1;
    told.writeLine(0, JSON.stringify(changeRecord(change)));
    const wait = told.drain();
    if (wait !== undefined) await wait;
  }
  if (only === undefined) {
    const live = await context.hub(hubOf(record)).listConfigurations();
    const { configurations, refused } = await wanted.configurations();
    const rows = configurationRows({ configurations, refused }, live, mode);
    for (const { id, change } of rows) told.writeLine(0, JSON.stringify({ configuration: id, change }));
    for (const each of refused) told.writeLine(0, JSON.stringify(each));
    count += rows.length + refused.length;
  }
  await told.commit();
  return count;
}
