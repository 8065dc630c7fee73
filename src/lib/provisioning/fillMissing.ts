import { randomBytes } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import type { MissingField } from '../devicesFile/checkDevicesFile.ts';
import { identityOf } from '../devicesFile/identityTable.ts';
import { createBlockWriter } from '../storage/blockWriter.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { readLineBatches } from '../storage/readLines.ts';
import type { ProvisioningContext } from './context.ts';
import type { ProvisionOptions } from './options.ts';
import type { PreImageRound } from './preImageRound.ts';
import type { RunRecord } from './runRecord.ts';
import {
  type CheckResult,
  checkBlobs,
  type FillManifest,
  fillBlob,
  type PreImageManifest,
  preImageBlob,
  stagingOf,
} from './staging.ts';

/** So many lines are filled by one pass over the pre-image: bounds memory, whatever the size of file and registry. */
const LINES_A_PASS = 30_000;

interface StagedLine {
  readonly id: string;
  readonly moduleId?: string;
  readonly [key: string]: unknown;
}

/**
 * Fills in what lines leave out and their devices have: keys, status, statusReason, capabilities, taken from the
 * pre-image. Without it a line without keys would get new ones, and a line without status would let a blocked device in
 * again. Lines whose device does not exist stay as they are: the hub makes new keys for new devices.
 *
 * @param round the pre-image to take it from; undefined for a run that takes none
 * @returns the blob that the import job is to read, and in how many lines each field was filled in
 */
export async function fillMissing(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  options: ProvisionOptions,
  round: PreImageRound | undefined,
): Promise<FillManifest> {
  const container = stagingOf(context, record.runId);
  const blobs = checkBlobs(container, check.attempt);
  if (round === undefined && check.incomplete > 0) {
    throw new Error(`The run ${record.runId} has no pre-image to fill its lines from.`);
  }
  if (round === undefined || check.incomplete === 0) return { blobName: blobs.devices.name };
  const manifest = container.getBlockBlobClient(fillBlob(round));
  const earlier = await readJson<FillManifest>(manifest);
  if (earlier !== undefined) return earlier.value;
  const preImage = (await readJson<PreImageManifest>(container.getBlockBlobClient(preImageBlob(round))))?.value;
  if (preImage === undefined) throw new Error(`The pre-image of run ${record.runId} is missing.`);

  const source = container.getBlockBlobClient(preImage.blobName);
  const filled = container.getBlockBlobClient(`filled-${round}-${randomBytes(4).toString('hex')}.txt`);
  const writer = createBlockWriter(filled);
  let pass: { readonly text: string; readonly missing?: readonly MissingField[] }[] = [];
  let wanted = new Set<string>();
  const kept: Partial<Record<MissingField, number>> = {};
  const finishPass = async (): Promise<void> => {
    const found = wanted.size === 0 ? new Map<string, StagedLine>() : await lookUp(source, wanted);
    for (const { text, missing } of pass) {
      writer.writeLine(0, missing === undefined ? text : filledLine(text, missing, found, kept));
      await writer.drain();
    }
    pass = [];
    wanted = new Set();
  };
  // Both blobs are in the same order: what lacks nothing is simply not in the second.
  const incomplete = eachLine(blobs.missing);
  let next = await incomplete.next();
  for await (const text of eachLine(blobs.devices)) {
    let missing: readonly MissingField[] | undefined;
    if (!next.done) {
      const line = JSON.parse(text) as StagedLine;
      const [id, moduleId, ...fields] = JSON.parse(next.value) as MissingRow;
      if (id === line.id && moduleId === (line.moduleId ?? null)) {
        // New keys are wanted with missingKeys regenerate; all else is kept all the same.
        missing = options.missingKeys === 'keep' ? fields : fields.filter((field) => field !== 'authentication');
        wanted.add(identityOf(line));
        next = await incomplete.next();
      }
    }
    pass.push({ text, ...(missing === undefined ? {} : { missing }) });
    if (pass.length === LINES_A_PASS) await finishPass();
  }
  await finishPass();
  if (!next.done) throw new Error(`The lines of run ${record.runId} that lack something do not fit its staged lines.`);
  await writer.commit('application/x-ndjson; charset=utf-8');
  const result: FillManifest = { blobName: filled.name, kept };
  if (await writeJson(manifest, result, { ifAbsent: true })) return result;
  return (await readJson<FillManifest>(manifest))?.value ?? result;
}

/** One row of the blob that says what lines lack: id, moduleId, fields. */
export type MissingRow = readonly [id: string, moduleId: string | null, ...fields: MissingField[]];

async function* eachLine(blob: BlockBlobClient): AsyncGenerator<string> {
  for await (const batch of readLineBatches(blob)) yield* batch;
}

/** The lines of the pre-image for the wanted identities. */
async function lookUp(source: BlockBlobClient, wanted: ReadonlySet<string>): Promise<Map<string, StagedLine>> {
  const found = new Map<string, StagedLine>();
  for await (const text of eachLine(source)) {
    // An export may begin with a line of plain text, and may end its lines with anything.
    if (!text.startsWith('{')) continue;
    const line = JSON.parse(text) as StagedLine;
    const key = identityOf(line);
    // Only what is wanted of it: a twin can be many times as large as the rest.
    if (wanted.has(key)) found.set(key, pick(line));
  }
  return found;
}

/** @param kept counts what is filled in */
function filledLine(
  text: string,
  missing: readonly MissingField[],
  preImage: ReadonlyMap<string, StagedLine>,
  kept: Partial<Record<MissingField, number>>,
): string {
  const line = JSON.parse(text) as StagedLine;
  const before = preImage.get(identityOf(line));
  if (before === undefined) return text;
  const fields = missing.filter((field) => before[field] !== undefined && before[field] !== null);
  for (const field of fields) kept[field] = (kept[field] ?? 0) + 1;
  return JSON.stringify({ ...line, ...Object.fromEntries(fields.map((field) => [field, before[field]])) });
}

function pick({ id, moduleId, authentication, status, statusReason, capabilities }: StagedLine): StagedLine {
  return { id, ...(moduleId === undefined ? {} : { moduleId }), authentication, status, statusReason, capabilities };
}
