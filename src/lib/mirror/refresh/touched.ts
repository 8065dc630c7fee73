/** What a run has touched in its hub. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { HubKeeperError } from '../../errors.ts';
import type { SystemModulesPlan } from '../../registryExtras/systemModules.ts';
import { paceOfRun } from '../../runs/paceOfRun.ts';
import { RunDamaged } from '../../runs/parseRunRecord.ts';
import type { RunEffects } from '../../runs/runEffects.ts';
import { isFinal, type RunBase } from '../../runs/runRecord.ts';
import { rowsOf } from '../../storage/ndjson.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import { restOf } from '../../work/restParts.ts';
import type { WorkRun } from '../../work/workRun.ts';
import type { IdentityKey } from '../rows/row.ts';
import { SYSTEM_MODULES } from './applyReading.ts';
import type { RefreshContext } from './refreshContext.ts';

/** A run with more lines is left to a reconcile. */
export const MOST_LINES = 20_000;
/**
 * And one that has deleted more than is read in so many minutes: that goes one by one, for queries list what is gone, and would
 * take all registry operations of the hub from other work.
 */
const MOST_DELETE_MINUTES = 15;

export interface Touched extends IdentityKey {
  readonly mayBeGone?: true;
  /** Its modules, too, as far as the mirror knows them. */
  readonly withModules?: true;
}

export type FoundTouched =
  /** In the same order each time. */
  | { readonly doneAt: Date; readonly items: AsyncIterable<Touched> }
  /** Nothing, and why. */
  | { readonly nothing: string }
  /** What it was cannot be told one by one, and why. */
  | { readonly reconcile: string }
  /** It has not ended. */
  | { readonly waits: true };

export async function touchedBy(context: RefreshContext, runId: string): Promise<FoundTouched> {
  try {
    const record = await context.runs.read(runId);
    if (record === undefined) return { nothing: 'there is no record of it' };
    if (!isFinal(record.state)) return { waits: true };
    if (record.kind !== 'provision') return await touchedByRest(context, record);
    const effects = await context.readEffects(runId, { preImage: false });
    const { lineCount, deletes } = effects;
    if (lineCount > MOST_LINES) return { reconcile: `The run ${runId} has ${lineCount} lines.` };
    if (deletes > MOST_DELETE_MINUTES * paceOfRun(context, record).itemsPerMinute) {
      return { reconcile: `The run ${runId} deletes ${deletes} identities.` };
    }
    return { doneAt: endOf(record), items: touchedByLines(effects) };
  } catch (error) {
    if (error instanceof RunDamaged) return { reconcile: `The record of the run ${runId} is damaged.` };
    if (isNotFound(error)) return { reconcile: `What the run ${runId} has done to the hub cannot be read any more.` };
    if (!(error instanceof HubKeeperError)) throw error;
    if (error.code === 'undoGone') return { reconcile: error.message };
    if (error.code === 'undoNotFinal') return { waits: true };
    return { nothing: error.message };
  }
}

function endOf({ finishedAt, updatedAt }: RunBase): Date {
  return new Date(finishedAt ?? updatedAt);
}

async function* touchedByLines(effects: RunEffects): AsyncGenerator<Touched> {
  for await (const { id, moduleId, mode, applied } of effects.lines()) {
    if (applied === 'no') continue;
    const key = { deviceId: id, ...(moduleId === undefined ? {} : { moduleId }) };
    yield MODE_RULES[mode].deletes ? { ...key, mayBeGone: true, withModules: true } : key;
  }
}

/**
 * Beside lines, which are applied by a run of their own: deployments that were to be put back to edge devices, whether that
 * was done or not. What else the rest does, the mirror does not show.
 */
async function touchedByRest({ storage }: RefreshContext, record: RunBase): Promise<FoundTouched> {
  const { runId } = record;
  const part = restOf(record as WorkRun).find((each) => each.part === 'systemModules' && each.items > 0);
  if (part === undefined) return { nothing: 'it has changed nothing but by lines' };
  if (part.items > MOST_LINES) return { reconcile: `The run ${runId} has put ${part.items} deployments back.` };
  const blob = storage.runContainer(runId).getBlockBlobClient(part.blobName);
  if (!(await blob.exists())) return { reconcile: `What the run ${runId} has put back cannot be read any more.` };
  return { doneAt: endOf(record), items: edgeDevices(blob) };
}

/** A query of their modules shows which ones they have got. */
async function* edgeDevices(blob: BlockBlobClient): AsyncGenerator<Touched> {
  for await (const { id: deviceId } of rowsOf<SystemModulesPlan>(blob)) {
    yield { deviceId, withModules: true };
    for (const moduleId of SYSTEM_MODULES) yield { deviceId, moduleId };
  }
}
