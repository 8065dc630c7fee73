/** The file of a run compared with what is there, as its pre-image has it. */

import { identityOf } from '../../devicesFile/identityTable.ts';
import { type Comparison, compareLines } from '../../registryLines/compareLines.ts';
import { type Identity, openSnapshot } from '../../registryLines/snapshot.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { linesOf, rowsOf } from '../../storage/ndjson.ts';
import { type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { decodeEntry, isAccepted } from '../check/lineIndex.ts';
import { readParentRows } from '../check/parentRows.ts';
import type { Epoch } from '../run/epoch.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { demandManifest } from './preImageBlobs.ts';

/** @throws Error when the pre-image of the epoch was not taken, or is gone */
export async function compareWithPreImage(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  epoch: Epoch,
): Promise<Comparison> {
  const container = stagingOf(context, record.runId);
  const preImage = await demandManifest(context, record, epoch);
  const blobs = checkBlobs(container, check.attempt);
  return compareLines({
    lines: linesOf(blobs.devices),
    snapshot: openSnapshot(container, preImage).lines(),
    ...(check.parents === 0 ? {} : { parents: () => readParentRows(blobs.parents) }),
  });
}

/**
 * All that has to be known to compare the file: what its lines name, the devices of its modules, and the parents that
 * devices are to have.
 *
 * @returns undefined when there are more than `most`
 */
export async function identitiesToCompare(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  most: number,
): Promise<readonly Identity[] | undefined> {
  const blobs = checkBlobs(stagingOf(context, record.runId), check.attempt);
  const wanted = new Map<string, Identity>();
  const want = (identity: Identity) => wanted.set(identityOf(identity), identity);
  for await (const entry of rowsOf(blobs.index, decodeEntry)) {
    if (!isAccepted(entry)) continue;
    const { id, moduleId } = entry;
    want({ id });
    if (moduleId !== undefined) want({ id, moduleId });
    if (wanted.size > most) return undefined;
  }
  if (check.parents === 0) return [...wanted.values()];
  for await (const [, parent] of readParentRows(blobs.parents)) {
    if (parent !== null) want({ id: parent });
    if (wanted.size > most) return undefined;
  }
  return [...wanted.values()];
}
