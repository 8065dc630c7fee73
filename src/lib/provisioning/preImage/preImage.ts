/**
 * The pre-image of a run: what it is about to overwrite or delete, as lines of a devices file, with keys.
 *
 * It lets a line without keys keep those of its device, and it is what an undo would put back. A device that is deleted
 * takes its modules along, and those below an edge device lose their parent: they are in it, too. Few identities are read
 * one by one; for more the hub exports its registry.
 */

import { importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { readJobState } from '../../hubJobs/jobState.ts';
import type { ExportRequest } from '../../registryLines/adoptExport.ts';
import { createGoesWith, ownScopeOf } from '../../registryLines/goesWith.ts';
import type { RegistryLine } from '../../registryLines/registryLine.ts';
import {
  type Identity,
  isModuleLine,
  MOST_READ_SINGLY,
  type SnapshotKeys,
  type SnapshotWay,
  snapshotWay,
} from '../../registryLines/snapshot.ts';
import { takeSnapshot } from '../../registryLines/takeSnapshot.ts';
import { snapshotPlace, stagingOf } from '../../runs/runContainer.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { linesOf, rowsOf } from '../../storage/ndjson.ts';
import { type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { decodeEntry, isAccepted } from '../check/lineIndex.ts';
import type { Epoch } from '../run/epoch.ts';
import { IMPORT_JOB_BLOB } from '../run/jobBlobs.ts';
import type { ProvisionOptions } from '../run/options.ts';
import { isSent, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { identitiesToCompare } from './comparison.ts';
import type { ScopedDevice } from './keptScopes.ts';
import { keepManifest, type PreImageManifest, readManifest } from './preImageBlobs.ts';

/**
 * Lines that may meet an existing identity (all but pure creates) need one, unless the sender wants none. A dry run
 * changes nothing, and has to know of every line whether its identity exists.
 */
export function preImageWay(
  check: CheckResult,
  options: Pick<ProvisionOptions, 'backupFirst' | 'dryRun'> | undefined,
): SnapshotWay {
  if (options?.dryRun === true) return snapshotWay(check.accepted);
  if (options?.backupFirst === 'never') return 'none';
  const creates = check.counts.byMode.create ?? 0;
  return snapshotWay(check.accepted - creates);
}

/** The epoch of the pre-image that the import goes by; undefined before the first, and for a run that takes none. */
export async function latestEpoch(context: ProvisioningContext, record: ProvisionRun): Promise<Epoch | undefined> {
  const fence = (await readJobState(context, record, IMPORT_JOB_BLOB))?.fence as Epoch | undefined;
  // Once the import was sent, its pre-image stays.
  return fence ?? (isSent(record) ? record.preImage?.epoch : undefined);
}

/** The export that is the pre-image of an epoch. */
export function preImageExport(record: ProvisionRun, check: CheckResult, epoch: Epoch): ExportRequest {
  return { blobName: `pre-image-${epoch}-${check.attempt}.txt`, keys: keysOf(record) };
}

/** A dry run puts nothing back: it needs no keys. */
function keysOf({ options }: ProvisionRun): SnapshotKeys {
  return options?.dryRun === true ? 'excluded' : 'included';
}

/**
 * Reads each identity that the file may overwrite or delete, and writes those that exist as the pre-image; `export` when
 * one of them can only be had by an export. A dry run reads all that its lines depend on, and keeps no keys.
 *
 * @throws HubError
 */
export async function readPreImage(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  epoch: Epoch,
): Promise<PreImageManifest | 'export'> {
  const earlier = await readManifest(context, record, epoch);
  if (earlier !== undefined) return earlier;

  const place = snapshotPlace(context, record);
  const name = `pre-image-${epoch}`;
  const keys = keysOf(record);
  if (record.options?.dryRun) {
    const compared = await identitiesToCompare(context, record, check, MOST_READ_SINGLY);
    if (compared === undefined) return 'export';
    const taken = await takeSnapshot(place, name, compared, { keys });
    return taken === 'export' ? taken : keepManifest(context, record, epoch, taken);
  }
  const wanted = await mayBeOverwritten(context, record, check);
  const ending = await mayEnd(context, record, check);
  const goesWith = createGoesWith(place.hub);
  const taken = await takeSnapshot(place, name, wanted, {
    keys,
    follow: (line) => (ending(line) ? goesWith(line) : []),
    most: MOST_READ_SINGLY,
  });
  return taken === 'export' ? taken : keepManifest(context, record, epoch, { ...taken, hasRelatives: true });
}

/** Tells of a device as it is whether a line of the file deletes it, or makes it an edge device no more. */
async function mayEnd(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
): Promise<(line: RegistryLine) => boolean> {
  const deleted = new Set<string>();
  const leaves = new Set<string>();
  for await (const text of linesOf(checkBlobs(stagingOf(context, record.runId), check.attempt).devices)) {
    if (!/"importMode":|"capabilities":/.test(text)) continue;
    const line = JSON.parse(text) as ScopedDevice & { readonly moduleId?: string | null; readonly importMode?: string };
    if (isModuleLine(line)) continue;
    const { deletes, mayOverwrite } = MODE_RULES[importModeOf(line)];
    if (deletes) deleted.add(line.id);
    else if (mayOverwrite && line.capabilities?.iotEdge === false) leaves.add(line.id);
  }
  return (line) =>
    !isModuleLine(line) && (deleted.has(line.id) || (leaves.has(line.id) && ownScopeOf(line) !== undefined));
}

async function mayBeOverwritten(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
): Promise<readonly Identity[]> {
  const wanted: Identity[] = [];
  for await (const entry of rowsOf(checkBlobs(stagingOf(context, record.runId), check.attempt).index, decodeEntry)) {
    if (isAccepted(entry) && MODE_RULES[entry.mode].present !== 'failsExists') wanted.push(entry);
  }
  return wanted;
}

/**
 * The same, for a step that comes after the pre-image of the epoch `asked`.
 *
 * @throws StagingLost
 */
export async function epochSince(
  context: ProvisioningContext,
  { record, check }: { readonly record: ProvisionRun; readonly check: CheckResult },
  asked: Epoch | undefined,
): Promise<Epoch | undefined> {
  const epoch = await latestEpoch(context, record);
  if (epoch === undefined && asked !== undefined && preImageWay(check, record.options) !== 'none') {
    throw new StagingLost(record.runId, IMPORT_JOB_BLOB);
  }
  return epoch;
}
