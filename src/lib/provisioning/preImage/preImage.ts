/**
 * The pre-image of a run: what it is about to overwrite or delete, as lines of a devices file, with keys.
 *
 * It lets a line without keys keep those of its device, and it is what an undo would put back. Few identities are read
 * one by one; for more the hub exports its registry.
 */

import { randomBytes } from 'node:crypto';
import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { readJobState } from '../../hubJobs/jobState.ts';
import { readRegistryText, UNREADABLE } from '../../registryLines/registryLine.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { keepFirst, readJson } from '../../storage/jsonBlob.ts';
import { rowsOf, writeLines } from '../../storage/ndjson.ts';
import { memberMap, objectText } from '../../textFile/jsonMembers.ts';
import { type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { decodeEntry, isAccepted } from '../check/lineIndex.ts';
import { IMPORT_JOB_BLOB } from '../job/jobBlobs.ts';
import type { Epoch } from '../run/epoch.ts';
import type { ProvisionOptions } from '../run/options.ts';
import { isSent, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { type Identity, identitiesToCompare } from './comparison.ts';
import { type PreImageManifest, preImageBlob } from './preImageBlobs.ts';

/** Up to this many identities are read one by one: as many as a hub of the smallest tier answers in about two minutes. */
const MOST_READ_SINGLY = 200;
const READS_AT_ONCE = 4;

/** How the pre-image of a run is to be taken. */
export type PreImageWay = 'none' | 'single' | 'export';

/**
 * Lines that may meet an existing identity (all but pure creates) need one, unless the sender wants none. A dry run
 * changes nothing, and has to know of every line whether its identity exists.
 */
export function preImageWay(
  check: CheckResult,
  options: Pick<ProvisionOptions, 'backupFirst' | 'dryRun'> | undefined,
): PreImageWay {
  if (options?.dryRun === true) return check.accepted <= MOST_READ_SINGLY ? 'single' : 'export';
  if (options?.backupFirst === 'never') return 'none';
  const creates = check.counts.byMode.create ?? 0;
  const overwriting = check.accepted - creates;
  if (overwriting === 0) return 'none';
  return overwriting <= MOST_READ_SINGLY ? 'single' : 'export';
}

/** The epoch of the pre-image that the import goes by; undefined before the first, and for a run that takes none. */
export async function latestEpoch(context: ProvisioningContext, record: ProvisionRun): Promise<Epoch | undefined> {
  const fence = (await readJobState(context, record, IMPORT_JOB_BLOB))?.fence as Epoch | undefined;
  // Once the import was sent, its pre-image stays.
  return fence ?? (isSent(record) ? record.preImage?.round : undefined);
}

/** Name of the blob that the export of this epoch writes. */
export function exportBlobName(check: CheckResult, epoch: Epoch): string {
  return `pre-image-${epoch}-${check.attempt}.txt`;
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
  const container = stagingOf(context, record.runId);
  const manifest = container.getBlockBlobClient(preImageBlob(epoch));
  const earlier = await readJson<PreImageManifest>(manifest);
  if (earlier !== undefined) return earlier.value;

  const isDry = record.options?.dryRun === true;
  const wanted = isDry
    ? await identitiesToCompare(context, record, check, MOST_READ_SINGLY)
    : await mayBeOverwritten(context, record, check);
  if (wanted === undefined) return 'export';
  const hub = context.hub(hubOf(record));
  const lines: string[] = [];
  for (let start = 0; start < wanted.length; start += READS_AT_ONCE) {
    const found = await Promise.all(
      wanted.slice(start, start + READS_AT_ONCE).map((entry) => readRegistryText(hub, entry)),
    );
    if (found.includes(UNREADABLE)) return 'export';
    for (const line of found) {
      if (line !== undefined) lines.push(isDry ? withoutKeys(line) : line);
    }
  }
  // A name of its own: two attempts at this step may run at a time, and the manifest says whose blob counts.
  const blobName = `pre-image-${epoch}-${randomBytes(4).toString('hex')}.txt`;
  await writeLines(container.getBlockBlobClient(blobName), lines);
  return keepManifest(context, record, epoch, { blobName, way: 'single', identities: lines.length });
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

/** Notes that the pre-image of an epoch is whole. The first to say so wins. */
export async function keepManifest(
  context: ProvisioningContext,
  record: ProvisionRun,
  epoch: Epoch,
  preImage: PreImageManifest,
): Promise<PreImageManifest> {
  return keepFirst(stagingOf(context, record.runId).getBlockBlobClient(preImageBlob(epoch)), preImage);
}

function withoutKeys(line: string): string {
  const members = memberMap(line);
  members.delete('authentication');
  return objectText(members);
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
