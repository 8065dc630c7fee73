/**
 * Deletes all devices of a hub, or those whose id begins alike: after a backup, and only what that backup has. A device that
 * is made later stays.
 */

import { randomBytes } from 'node:crypto';

import { openBackup } from '../backup/catalogue.ts';
import type { ConfigurationChange } from '../registryExtras/configurationChanges.ts';
import { isIdentityLine } from '../registryLines/snapshot.ts';
import { openStaging } from '../runs/runContainer.ts';
import { hubOf, isFinal } from '../runs/runRecord.ts';
import { writeLines } from '../storage/ndjson.ts';
import { demandAloneOnHub } from '../work/aloneOnHub.ts';
import { followRun, readApplied } from '../work/applyStages.ts';
import { changeStages } from '../work/changeStages.ts';
import { demandConfirmed, requestOf } from '../work/request.ts';
import type { KindOfWork, StageInput, StageReply } from '../work/stage.ts';
import { enterPhase } from '../work/workNotes.ts';
import { orRefused } from '../work/workRefused.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { deleteLine } from './changesToLines.ts';
import type { DeleteAllRequest } from './requests.ts';
import { noteOnce, notesOf } from './restoreNotes.ts';
import { RESTORE_REPORT } from './restoreReport.ts';
import { sayRestore } from './restoreTexts.ts';
import { wantedOf } from './wanted.ts';

export const DELETE_ALL_WORK: KindOfWork = {
  first: 'confirmed',
  stages: {
    confirmed: { work: confirmed },
    backup: { work: startBackup },
    backupWatch: { work: watchBackup, whileSuspended: true, whenCancelled: true },
    lines: { work: writeDeletes },
    ...changeStages({
      lines: (record) => notesOf(record).deletes?.blobName,
      rest: (record) => notesOf(record).rest ?? [],
      report: RESTORE_REPORT,
    }),
  },
};

async function confirmed(context: WorkContext, record: WorkRun): Promise<StageReply> {
  return orRefused(async () => {
    demandConfirmed(context.hub(hubOf(record)), requestOf<DeleteAllRequest>(record).confirm);
    await demandAloneOnHub(context, hubOf(record), record);
    // The backup waits for a turn of its own.
    return { go: 'backup', leaveTurn: true };
  });
}

async function startBackup(context: WorkContext, record: WorkRun): Promise<StageReply> {
  await enterPhase(context, record.runId, 'export');
  if (notesOf(record).backedUpBy === undefined) {
    // It is all that brings the devices back, once the pre-image is gone: the next backup of the day does not replace it.
    const request = { keepDays: context.settings.undoDays };
    const { runId } = await context.start({ kind: 'backup', hub: hubOf(record), request, once: record.runId });
    await noteOnce(context, record.runId, { backedUpBy: runId });
  }
  return { wait: 1, go: 'backupWatch' };
}

async function watchBackup(context: WorkContext, record: WorkRun, input: StageInput): Promise<StageReply> {
  const { backedUpBy } = notesOf(record);
  if (backedUpBy === undefined) return { go: 'backup' };
  const made = (await readApplied(context, backedUpBy)) as WorkRun;
  if (!isFinal(made.state)) return followRun(context, record, made, input);
  const backup = made.result?.['backup'];
  const isMismatch = made.result?.['countMismatch'] === true;
  if (made.state !== 'completed' && !(isMismatch && typeof backup === 'string')) {
    const said = sayRestore('backupFailed', { run: made.runId, state: made.state });
    return { end: record.cancelRequestedAt === undefined ? 'failed' : 'cancelled', error: made.error ?? said };
  }
  if (typeof backup !== 'string') throw new Error(`The run ${made.runId} names no backup.`);
  if (isMismatch && requestOf<DeleteAllRequest>(record).acceptCountMismatch !== true) {
    return { end: 'refused', error: made.error ?? sayRestore('backupFailed', { run: made.runId, state: made.state }) };
  }
  const keys = made.result?.['keys'] === 'excluded' ? 'excluded' : 'included';
  await noteOnce(context, record.runId, { backup, keys });
  return { wait: 0, go: 'lines' };
}

async function writeDeletes(context: WorkContext, record: WorkRun): Promise<StageReply> {
  const { backup = '', deletes } = notesOf(record);
  if (deletes !== undefined) return { go: 'apply' };
  const { prefix, configurations } = requestOf<DeleteAllRequest>(record);
  const open = await openBackup(context.storage, backup);
  const staging = await openStaging(context, record.runId);
  const wanted = wantedOf(open);
  // Two attempts may write them at a time: each its own, and what is noted counts.
  const name = `deletes-${randomBytes(4).toString('hex')}`;
  const count = await writeLines(staging.getBlockBlobClient(`${name}.txt`), deleteLines(wanted.lines(), prefix));
  const rows = configurations === true ? await configurationDeletes(context, record, wanted) : [];
  const rest = `${name}-configurations.ndjson`;
  await writeLines(
    staging.getBlockBlobClient(rest),
    rows.map((row) => JSON.stringify(row)),
  );
  await noteOnce(context, record.runId, {
    deletes: count === 0 ? {} : { blobName: `${name}.txt` },
    rest: rows.length === 0 ? [] : [{ part: 'configurations', blobName: rest, items: rows.length }],
  });
  return { go: 'apply' };
}

interface BackedUpLine {
  readonly id: string;
  readonly moduleId?: string | null;
  readonly eTag?: string | null;
}

/** Modules go with their devices. A device that is another than the backup has is not deleted: the hub refuses its line. */
async function* deleteLines(lines: AsyncIterable<string>, prefix = '') {
  for await (const text of lines) {
    if (!isIdentityLine(text)) continue;
    const { id, moduleId, eTag } = JSON.parse(text) as BackedUpLine;
    if ((moduleId === undefined || moduleId === null) && id.startsWith(prefix)) yield deleteLine({ id }, eTag ?? '');
  }
}

async function configurationDeletes(
  context: WorkContext,
  record: WorkRun,
  wanted: Pick<ReturnType<typeof wantedOf>, 'configurations'>,
): Promise<readonly ConfigurationChange[]> {
  const known = new Set((await wanted.configurations()).configurations.map(({ id }) => id));
  const live = await context.hub(hubOf(record)).listConfigurations();
  return live.filter(({ id }) => known.has(id)).map((each) => ({ change: 'delete', id: each.id, live: each }));
}
