import { randomBytes } from 'node:crypto';

import type { MissingField } from '../../devicesFile/checkDevicesFile.ts';
import { identityOf } from '../../devicesFile/identityTable.ts';
import { IMPORT_MODES, type ImportMode, importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { isModuleLine, openSnapshot, type SnapshotLines } from '../../registryLines/snapshot.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { createBlockWriter } from '../../storage/blockWriter.ts';
import { keepFirst, readJson } from '../../storage/jsonBlob.ts';
import { linesOf } from '../../storage/ndjson.ts';
import { type CheckBlobs, type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { readMissingAlong } from '../check/missingRows.ts';
import { readParentsAlong } from '../check/parentRows.ts';
import type { Epoch } from '../run/epoch.ts';
import { type CheckCounts, optionsOf, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { type BeforeLine, beforeLine, filledLine, type Wanted } from './filledLine.ts';
import { findGone, findScoped, type ScopesBefore } from './keptScopes.ts';
import { demandManifest, type FillManifest, fillBlob } from './preImageBlobs.ts';

/** So many lines are filled by one pass over the pre-image: bounds memory, whatever the size of file and registry. */
const LINES_A_PASS = 30_000;
const CHARACTERS_A_PASS = 64 * 1024 * 1024;

/** Of twins that a pass found, as many are kept at once: one that finds more is halved. */
const CHARACTERS_FOUND = 64 * 1024 * 1024;

interface StagedLine {
  readonly id: string;
  readonly moduleId?: string | null;
  readonly importMode?: string;
}

/** A line on its way, and what it is to get from the pre-image; a line that is not wanted stays as it is. */
interface WaitingLine {
  readonly text: string;
  readonly wanted?: Wanted & { readonly identity: string };
}

/**
 * Fills in what lines leave out and their devices have: keys, status, statusReason, capabilities, scopes, taken from the
 * pre-image. Without it a line without keys would get new ones, and a line without status would let a blocked device in
 * again. Lines whose device does not exist stay as they are: the hub makes new keys for new devices.
 *
 * Lines that merge into a twin are given the sections that they come to, and what has to go from a twin is noted for
 * later: whether a hub replaces or merges what an import says of a twin is not known.
 *
 * @param epoch the pre-image to take it from; undefined for a run that takes none
 * @param mostFound see CHARACTERS_FOUND
 * @returns the blob that the import job is to read, and in how many lines each field was filled in
 */
export async function fillMissing(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  epoch: Epoch | undefined,
  mostFound = CHARACTERS_FOUND,
): Promise<FillManifest> {
  const container = stagingOf(context, record.runId);
  const blobs = checkBlobs(container, check.attempt);
  const isNeeded = hasToFill(check.counts.byMode);
  if (!isNeeded || (check.incomplete === 0 && epoch === undefined)) return { blobName: blobs.devices.name };
  if (epoch === undefined) throw new StagingLost(record.runId, 'the pre-image');
  const manifest = container.getBlockBlobClient(fillBlob(epoch));
  const earlier = await readJson<FillManifest>(manifest);
  if (earlier !== undefined) return earlier.value;
  const preImage = await demandManifest(context, record, epoch);
  const source = openSnapshot(container, preImage);
  const scopes = await findScoped(source);
  const isThere = preImage.way === 'export' ? undefined : edgeLookUp(context, record);
  const gone = scopes === undefined ? undefined : await findGone(scopes, blobs.devices, isThere);
  const isGone = gone === undefined ? undefined : (scope: string) => gone.has(scope);
  const name = `${epoch}-${randomBytes(4).toString('hex')}`;
  const filled = container.getBlockBlobClient(`filled-${name}.txt`);
  const writer = createBlockWriter(filled);
  const removals = container.getBlockBlobClient(`removals-${name}.txt`);
  const removalWriter = createBlockWriter(removals);
  const kept: Partial<Record<MissingField, number>> = {};
  let changed = 0;
  let merged = 0;
  let removalLines = 0;
  const write = ({ text, wanted }: WaitingLine, found: ReadonlyMap<string, BeforeLine>): void => {
    if (wanted === undefined) {
      writer.writeLine(0, text);
      return;
    }
    const result = filledLine(text, found.get(wanted.identity), wanted);
    for (const field of result.kept) kept[field] = (kept[field] ?? 0) + 1;
    if (result.text !== text) changed += 1;
    if (result.isMerged) merged += 1;
    writer.writeLine(0, result.text);
    if (result.removal === undefined) return;
    removalLines += 1;
    removalWriter.writeLine(0, result.removal);
  };
  const finishPass = async (pass: readonly WaitingLine[]): Promise<void> => {
    const found = await lookUp(source, pass, mostFound);
    if (found === 'tooLarge') {
      const half = Math.ceil(pass.length / 2);
      await finishPass(pass.slice(0, half));
      await finishPass(pass.slice(half));
      return;
    }
    for (const line of pass) {
      write(line, found);
      const wait = writer.drain() ?? removalWriter.drain();
      if (wait !== undefined) await wait;
    }
  };
  let pass: WaitingLine[] = [];
  let characters = 0;
  for await (const line of waitingLines(record, blobs, scopes, isGone)) {
    pass.push(line);
    characters += line.text.length;
    if (pass.length < LINES_A_PASS && characters < CHARACTERS_A_PASS) continue;
    await finishPass(pass);
    characters = 0;
    pass = [];
  }
  await finishPass(pass);
  if (removalLines > 0) await removalWriter.commit();
  // What a line lacks is told from this blob, too, when it is sent again.
  const isFilled = changed > 0 || check.incomplete > 0;
  if (isFilled) await writer.commit();
  return keepFirst<FillManifest>(manifest, {
    blobName: isFilled ? filled.name : blobs.devices.name,
    ...(check.incomplete === 0 && scopes === undefined ? {} : { kept }),
    ...(merged === 0 ? {} : { merged }),
    ...(removalLines === 0 ? {} : { removals: { blobName: removals.name, lines: removalLines } }),
  });
}

/** The lines of the file, each with what it is to get from the pre-image. */
async function* waitingLines(
  record: ProvisionRun,
  blobs: CheckBlobs,
  scopes: ScopesBefore | undefined,
  isGone: Wanted['isGone'],
): AsyncGenerator<WaitingLine> {
  const { missingKeys } = optionsOf(record);
  const parents = await readParentsAlong(blobs.parents);
  const incomplete = await readMissingAlong(blobs.missing);
  for await (const text of linesOf(blobs.devices)) {
    const writesTwin = TWIN_MEMBER.test(text);
    if (incomplete.isOver() && scopes === undefined && !writesTwin) {
      yield { text };
      continue;
    }
    const line = JSON.parse(text) as StagedLine;
    const lacks = await incomplete.of(line);
    // New keys are wanted with missingKeys regenerate; all else is kept all the same.
    const missing = missingKeys === 'keep' ? lacks : lacks?.filter((field) => field !== 'authentication');
    const isDevice = !isModuleLine(line);
    const parent = isDevice ? await parents.of(line.id) : undefined;
    const mode = importModeOf(line);
    const isScoped = isDevice && MODE_RULES[mode].mayOverwrite && scopes?.hasScope(line.id) === true;
    const isIncomplete = missing !== undefined || isScoped;
    if (isIncomplete || (writesTwin && mayChange(mode))) {
      yield { text, wanted: { identity: identityOf(line), fields: missing ?? [], parent, isIncomplete, isGone } };
    } else {
      yield { text };
    }
  }
  if (!incomplete.isOver())
    throw new Error(`The lines of run ${record.runId} that lack something do not fit its staged lines.`);
}

/** Tells lines that may write a twin from those that do not, without reading them. A key may be written with escapes. */
const TWIN_MEMBER = /"(?:tags|desired)"|\\u00/;

/** Whether the lines of a file are looked at in the light of the pre-image: only what may change what exists can reset it. */
export function hasToFill(byMode: CheckCounts['byMode']): boolean {
  return IMPORT_MODES.some((mode) => mayChange(mode) && byMode[mode]);
}

/** Whether a line of this mode may change an identity that exists, and does not just delete it. */
function mayChange(mode: ImportMode): boolean {
  const { present, deletes } = MODE_RULES[mode];
  return present !== 'failsExists' && !deletes;
}

function edgeLookUp(
  context: ProvisioningContext,
  record: ProvisionRun,
): (scope: string, id: string) => Promise<boolean> {
  const hub = context.hub(hubOf(record));
  return async (scope, id) => {
    const device = await hub.getDevice(id);
    return device?.capabilities?.iotEdge === true && device.deviceScope === scope;
  };
}

/** The lines of the pre-image for those of a pass; `tooLarge`: together they are more than is kept at once. */
async function lookUp(
  source: SnapshotLines,
  pass: readonly WaitingLine[],
  mostCharacters: number,
): Promise<ReadonlyMap<string, BeforeLine> | 'tooLarge'> {
  const wanted = new Map<string, { readonly identity: string; readonly writesTwin: boolean }>();
  for (const { text, wanted: { identity } = {} } of pass) {
    if (identity !== undefined) wanted.set(identity, { identity, writesTwin: TWIN_MEMBER.test(text) });
  }
  const found = new Map<string, BeforeLine>();
  if (wanted.size === 0) return found;
  let characters = 0;
  for await (const { text, of } of source.find(wanted)) {
    const before = beforeLine(text, of.writesTwin);
    found.set(of.identity, before);
    characters += (before.twin.tags?.length ?? 0) + (before.twin.desired?.length ?? 0);
    if (characters > mostCharacters && pass.length > 1) return 'tooLarge';
  }
  return found;
}
