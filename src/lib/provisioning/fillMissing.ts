import { randomBytes } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import type { MissingField } from '../devicesFile/checkDevicesFile.ts';
import { identityOf } from '../devicesFile/identityTable.ts';
import { IMPORT_MODES, type ImportMode } from '../devicesFile/importMode.ts';
import { MODE_RULES } from '../devicesFile/modeRules.ts';
import { createBlockWriter } from '../storage/blockWriter.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { readEachLine } from '../storage/readLines.ts';
import type { ProvisioningContext } from './context.ts';
import { findScoped, type ScopedDevice, scopesToKeep } from './keptScopes.ts';
import type { ProvisionOptions } from './options.ts';
import { readParentsAlong } from './parentRows.ts';
import type { PreImageRound } from './preImageRound.ts';
import { parseRegistryLines } from './registryLine.ts';
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
import { StagingLost } from './stagingLost.ts';

/** So many lines are filled by one pass over the pre-image: bounds memory, whatever the size of file and registry. */
const LINES_A_PASS = 30_000;
const CHARACTERS_A_PASS = 64 * 1024 * 1024;

interface StagedLine extends ScopedDevice {
  readonly id: string;
  readonly moduleId?: string;
  readonly importMode?: ImportMode;
  readonly [key: string]: unknown;
}

/** A line on its way, and what it is to get from the pre-image; a line that is not wanted stays as it is. */
interface WaitingLine {
  readonly text: string;
  readonly wanted?: { readonly fields: readonly MissingField[]; readonly parent: string | null | undefined };
}

/**
 * Fills in what lines leave out and their devices have: keys, status, statusReason, capabilities, scopes, taken from the
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
  // Only lines that may overwrite an identity can reset anything.
  const overwrites = IMPORT_MODES.some((mode) => MODE_RULES[mode].mayOverwrite && check.counts.byMode[mode]);
  if (!overwrites || (check.incomplete === 0 && round === undefined)) return { blobName: blobs.devices.name };
  if (round === undefined) throw new StagingLost(record.runId, 'the pre-image');
  const manifest = container.getBlockBlobClient(fillBlob(round));
  const earlier = await readJson<FillManifest>(manifest);
  if (earlier !== undefined) return earlier.value;
  const preImage = (await readJson<PreImageManifest>(container.getBlockBlobClient(preImageBlob(round))))?.value;
  if (preImage === undefined) throw new StagingLost(record.runId, preImageBlob(round));

  const source = container.getBlockBlobClient(preImage.blobName);
  const hasScope = await findScoped(source);
  if (check.incomplete === 0 && hasScope === undefined) return keepResult(manifest, { blobName: blobs.devices.name });
  const filled = container.getBlockBlobClient(`filled-${round}-${randomBytes(4).toString('hex')}.txt`);
  const writer = createBlockWriter(filled);
  let pass: WaitingLine[] = [];
  let characters = 0;
  let wanted = new Set<string>();
  const kept: Partial<Record<MissingField, number>> = {};
  const finishPass = async (): Promise<void> => {
    const found = wanted.size === 0 ? new Map<string, StagedLine>() : await lookUp(source, wanted);
    for (const line of pass) {
      writer.writeLine(0, filledLine(line, found, kept));
      await writer.drain();
    }
    pass = [];
    wanted = new Set();
  };
  // These blobs are in the same order: what lacks nothing is simply not in the second.
  const parents = readParentsAlong(blobs.parents);
  const incomplete = readEachLine(blobs.missing);
  let next = await incomplete.next();
  for await (const text of readEachLine(blobs.devices)) {
    const line = next.done && hasScope === undefined ? undefined : (JSON.parse(text) as StagedLine);
    let missing: readonly MissingField[] | undefined;
    if (!next.done && line !== undefined) {
      const [id, moduleId, ...fields] = JSON.parse(next.value) as MissingRow;
      if (id === line.id && moduleId === (line.moduleId ?? null)) {
        // New keys are wanted with missingKeys regenerate; all else is kept all the same.
        missing = options.missingKeys === 'keep' ? fields : fields.filter((field) => field !== 'authentication');
        next = await incomplete.next();
      }
    }
    const isDevice = line !== undefined && !isModule(line);
    const parent = isDevice ? await parents.of(line.id) : undefined;
    const scoped = isDevice && MODE_RULES[line.importMode ?? 'createOrUpdate'].mayOverwrite && hasScope?.(line.id);
    if (line !== undefined && (missing !== undefined || scoped)) {
      wanted.add(identityOf(line));
      pass.push({ text, wanted: { fields: missing ?? [], parent } });
    } else {
      pass.push({ text });
    }
    characters += text.length;
    if (pass.length < LINES_A_PASS && characters < CHARACTERS_A_PASS) continue;
    characters = 0;
    await finishPass();
  }
  await finishPass();
  if (!next.done) throw new Error(`The lines of run ${record.runId} that lack something do not fit its staged lines.`);
  await writer.commit('application/x-ndjson; charset=utf-8');
  return keepResult(manifest, { blobName: filled.name, kept });
}

/** Notes which blob the job is to read. The first to say so wins. */
async function keepResult(manifest: BlockBlobClient, result: FillManifest): Promise<FillManifest> {
  if (await writeJson(manifest, result, { ifAbsent: true })) return result;
  return (await readJson<FillManifest>(manifest))?.value ?? result;
}

/** One row of the blob that says what lines lack: id, moduleId, fields. */
export type MissingRow = readonly [id: string, moduleId: string | null, ...fields: MissingField[]];

/** The lines of the pre-image for the wanted identities. */
async function lookUp(source: BlockBlobClient, wanted: ReadonlySet<string>): Promise<Map<string, StagedLine>> {
  const found = new Map<string, StagedLine>();
  for await (const line of parseRegistryLines(readEachLine(source)) as AsyncIterable<StagedLine>) {
    const key = identityOf(line);
    // Only what is wanted of it: a twin can be many times as large as the rest.
    if (wanted.has(key)) found.set(key, pick(line));
  }
  return found;
}

/** @param kept counts what is filled in */
function filledLine(
  { text, wanted }: WaitingLine,
  preImage: ReadonlyMap<string, StagedLine>,
  kept: Partial<Record<MissingField, number>>,
): string {
  if (wanted === undefined) return text;
  const line = JSON.parse(text) as StagedLine;
  const before = preImage.get(identityOf(line));
  if (before === undefined) return text;
  const fields = wanted.fields.filter(
    (field) =>
      before[field] !== undefined && before[field] !== null && (field !== 'authentication' || keepsType(line, before)),
  );
  for (const field of fields) kept[field] = (kept[field] ?? 0) + 1;
  // Tells which state of the device was filled in, should the line have to be sent again. A line that compares has its own.
  const etag = line.importMode?.endsWith('IfMatchETag') === true ? {} : { eTag: before['eTag'] };
  const filled: StagedLine = { ...line, ...etag, ...Object.fromEntries(fields.map((field) => [field, before[field]])) };
  return JSON.stringify(isModule(line) ? filled : { ...filled, ...scopesToKeep(filled, before, wanted.parent) });
}

/** A line that asks for another type of authentication cannot keep what the old type had. */
function keepsType(line: StagedLine, before: StagedLine): boolean {
  const wanted = typeOf(line['authentication']);
  return wanted === undefined || wanted === typeOf(before['authentication']);
}

function typeOf(authentication: unknown): string | undefined {
  const { type } = (authentication ?? {}) as { readonly type?: unknown };
  return typeof type === 'string' ? type.toLowerCase() : undefined;
}

function isModule({ moduleId }: StagedLine): boolean {
  return moduleId !== undefined && moduleId !== null;
}

function pick(line: StagedLine): StagedLine {
  const { id, moduleId, eTag, authentication, status, statusReason, capabilities, deviceScope, parentScopes } = line;
  return {
    id,
    eTag,
    ...(moduleId === undefined ? {} : { moduleId }),
    authentication,
    status,
    statusReason,
    capabilities: capabilities ?? null,
    deviceScope: deviceScope ?? null,
    parentScopes: parentScopes ?? null,
  };
}
