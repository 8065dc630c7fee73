/**
 * Verifying: lines whose fate nothing else tells are compared with a snapshot of the registry.
 *
 * What was found lies in a blob of its own, one row a line: whether the registry is as the line asks for.
 */

import { randomBytes } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import type { ExportRequest } from '../../registryLines/adoptExport.ts';
import { type Agreement, agreement } from '../../registryLines/agrees.ts';
import { joinSnapshot } from '../../registryLines/joinSnapshot.ts';
import type { RegistryLine } from '../../registryLines/registryLine.ts';
import { openSnapshot, type Snapshot, snapshotWay } from '../../registryLines/snapshot.ts';
import { takeSnapshotInParts } from '../../registryLines/takeSnapshot.ts';
import { snapshotPlace, stagingOf } from '../../runs/runContainer.ts';
import { linesOf, rowsOf, writeLines } from '../../storage/ndjson.ts';
import { readWaveLines, type Verification, type WaveLine } from '../again/waves.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

const WORK_MS = 45_000;

/** Writes down which lines are to be verified. No line: there is nothing to verify. */
export async function planVerification(
  context: ProvisioningContext,
  record: ProvisionRun,
  lines: AsyncIterable<string>,
): Promise<Verification> {
  const attempt = randomBytes(4).toString('hex');
  const count = await writeLines(linesBlob(context, record, attempt), lines);
  return {
    attempt,
    lines: count,
    way: snapshotWay(count),
    state: count === 0 ? 'ended' : 'due',
  };
}

/** The export by which lines are verified, a blob a try. */
export function verifyExport({ attempt, exportTry = 1 }: Verification): ExportRequest {
  return { blobName: `registry-${attempt}-${exportTry}.txt`, keys: 'included' };
}

function linesBlob(context: ProvisioningContext, record: ProvisionRun, attempt: string): BlockBlobClient {
  return stagingOf(context, record.runId).getBlockBlobClient(`verify-${attempt}.txt`);
}

/** One line verified: id, moduleId, and how far the registry is as it asks for. */
type FoundRow = readonly [id: string, moduleId: string | null, agreement: Agreement];

/** Reads the identities of a few lines until the time of an activity is up; see `takeSnapshotInParts`. */
export async function readForVerification(
  context: ProvisioningContext,
  record: ProvisionRun,
  { attempt }: Verification,
): Promise<Snapshot | 'export' | 'again'> {
  const lines = await readWaveLines(linesBlob(context, record, attempt));
  const until = new Date(context.now().getTime() + WORK_MS);
  return takeSnapshotInParts(snapshotPlace(context, record), `registry-${attempt}`, lines, until);
}

/** Compares the lines with the registry as a snapshot has it; gives the name of the blob that holds what was found. */
export async function verifyLines(
  context: ProvisioningContext,
  record: ProvisionRun,
  verification: Verification,
  snapshot: Snapshot,
): Promise<string> {
  const staging = stagingOf(context, record.runId);
  const found = staging.getBlockBlobClient(`found-${randomBytes(4).toString('hex')}.ndjson`);
  const lines = linesOf(linesBlob(context, record, verification.attempt));
  const compared = joinSnapshot(lines, openSnapshot(staging, snapshot), (line: WaveLine, text) =>
    agreement(line, JSON.parse(text) as RegistryLine),
  );
  const rows = async function* () {
    for await (const [line, agrees = agreement(line, undefined)] of compared) {
      yield JSON.stringify([line.id, line.moduleId ?? null, agrees] satisfies FoundRow);
    }
  };
  await writeLines(found, rows());
  return found.name;
}

export async function* readFound(
  context: ProvisioningContext,
  record: ProvisionRun,
  blobName: string,
): AsyncGenerator<{ readonly id: string; readonly moduleId: string | undefined; readonly agreement: Agreement }> {
  const rows = rowsOf<FoundRow>(stagingOf(context, record.runId).getBlockBlobClient(blobName));
  for await (const [id, moduleId, found] of rows) {
    yield { id, moduleId: moduleId ?? undefined, agreement: found };
  }
}
