/** The report of a run: what became of every line of its file, as files in the results container. */

import { Readable } from 'node:stream';

import { defined } from '../../defined.ts';
import { withoutFiller } from '../../devicesFile/lineText.ts';
import { isModuleLine } from '../../registryLines/snapshot.ts';
import type { Ending, Verdict } from '../../runs/outcomes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { needsPerson, noOutcomes, type Outcome, type RunReportFiles } from '../../runs/runRecord.ts';
import { createBlockWriter } from '../../storage/blockWriter.ts';
import { ensureContainer } from '../../storage/ensureContainer.ts';
import { writeJson } from '../../storage/jsonBlob.ts';
import { linesOf, rowsOf, writeLines } from '../../storage/ndjson.ts';
import { bytesOf } from '../../storage/readText.ts';
import { RESULTS_CONTAINER } from '../../storage/storage.ts';
import { memberMap, objectText } from '../../textFile/jsonMembers.ts';
import { type CheckBlobs, type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { type AcceptedEntry, decodeEntry, type IndexEntry, isAccepted } from '../check/lineIndex.ts';
import { readParentsAlong } from '../check/parentRows.ts';
import { formatOfDrop } from '../drop/dropPath.ts';
import type { ProvisioningContext, ProvisionRun, RunConfigurations } from '../run/provisionRun.ts';
import { endingWith, reportConfigurations } from './configurationsReport.ts';
import { createReportRows, REPORT_COLUMNS } from './reportRows.ts';

export interface ReportInput {
  readonly record: ProvisionRun;
  /** The state that the run ends in, given what became of its lines. */
  endingOf(outcomes: Readonly<Record<Outcome, number>>): Ending;
  readonly check: CheckResult;
  /** For configurations that were not settled: the run ended without its job, or without knowing of one. */
  readonly configurationVerdict?: Verdict;
  /** Decides about a line that the check accepted. */
  verdictOf(entry: AcceptedEntry): Verdict;
  /** Whether a line that the check accepted goes into `failed-devices.txt`, to be corrected and dropped again. */
  isFailed(id: string, moduleId: string | undefined, mode: string | undefined): boolean;
  /** Whether the device of a line that failed has been written all the same, so that only an update can fix it. */
  isThere?(id: string): boolean;
  /** What was done after the import job. */
  readonly afterJob?: object | undefined;
}

/** Lines that ended alike; reason, action and identity are those of the first. */
export interface ReportedReason extends Verdict {
  readonly code: string;
  readonly line: number;
  readonly deviceId: string | undefined;
  readonly moduleId: string | undefined;
  count: number;
}

export interface ReportResult extends Ending {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly configurations?: RunConfigurations | undefined;
  readonly files: RunReportFiles;
}

/** `report.json` lists this many lines that need a person; `report.csv` lists every line. */
const LISTED_LINES = 1_000;
const LONGEST_BATCH = 900;

/** Folder of a run in the results container. */
function resultFolder(record: ProvisionRun): string {
  const { batch } = record;
  // A blob name has 1,024 characters at most, and a drop may lie as deep as that.
  const place = batch.length <= LONGEST_BATCH ? batch : `${batch.slice(0, LONGEST_BATCH - 1)}_`;
  return `${record.hub ?? 'unknown'}/${place}/${record.runId}`;
}

/**
 * Writes the report of a run: `report.csv` with every line of the input, `report.json` with the counts and the lines that
 * need a person, `failed-devices.txt` and `rejected-lines.txt` (of a CSV file `rejected-lines.csv`) where there are any.
 *
 * Streams: a million lines take no more memory than a thousand.
 *
 * @throws Error when the outcomes do not add up to the lines of the input
 */
export async function writeReport(context: ProvisioningContext, input: ReportInput): Promise<ReportResult> {
  const { record, check } = input;
  const results = context.storage.container(RESULTS_CONTAINER);
  await ensureContainer(results);
  const folder = resultFolder(record);
  const staging = stagingOf(context, record.runId);
  const blobs = checkBlobs(staging, check.attempt);

  const outcomes = noOutcomes();
  const byCode = new Map<string, ReportedReason>();
  // What the hub refused comes first: rejections could be had from a check.
  const listed = { first: [] as object[], rejected: [] as object[] };
  let needing = 0;

  const csv = createBlockWriter(results.getBlockBlobClient(`${folder}/report.csv`));
  csv.writeLine(0, REPORT_COLUMNS.join(','));
  const rowOf = createReportRows();
  for await (const entry of rowsOf(blobs.index, decodeEntry)) {
    const verdict = verdictFor(entry, input);
    outcomes[verdict.outcome] += 1;
    csv.writeLine(0, rowOf(entry, verdict));
    const wait = csv.drain();
    if (wait !== undefined) await wait;
    if (verdict.code !== undefined) count(byCode, { ...verdict, code: verdict.code }, entry);
    if (!needsPerson(verdict.outcome)) continue;
    needing += 1;
    const list = verdict.outcome === 'rejected' ? listed.rejected : listed.first;
    if (list.length < LISTED_LINES) {
      const path = 'path' in entry ? entry.path : undefined;
      list.push({ line: entry.line, deviceId: entry.id, moduleId: entry.moduleId, ...verdict, path });
    }
  }
  await csv.commit('text/csv; charset=utf-8');

  const settled = Object.values(outcomes).reduce((sum, value) => sum + value, 0);
  if (settled !== check.counts.lines) {
    throw new Error(`The outcomes of run ${record.runId} do not add up: ${settled} of ${check.counts.lines} lines.`);
  }

  const configurations = await reportConfigurations(context, { record, check, folder }, input.configurationVerdict);
  const isCsv = formatOfDrop(record.drop.blobName) === 'csv';
  const files: RunReportFiles = {
    container: RESULTS_CONTAINER,
    json: `${folder}/report.json`,
    csv: `${folder}/report.csv`,
    ...(outcomes.failed > 0 ? { failedDevices: `${folder}/failed-devices.txt` } : {}),
    ...(outcomes.rejected > 0 ? { rejectedLines: `${folder}/rejected-lines.${isCsv ? 'csv' : 'txt'}` } : {}),
    ...defined({ configurations: configurations?.file }),
  };
  if (files.failedDevices !== undefined) {
    const failed = results.getBlockBlobClient(files.failedDevices);
    await writeLines(failed, failedLines(input, blobs), 'text/plain; charset=utf-8');
  }
  if (files.rejectedLines !== undefined) {
    // Byte for byte: rejected lines may be no text at all.
    await results
      .getBlockBlobClient(files.rejectedLines)
      .uploadStream(Readable.from(bytesOf(blobs.rejectedLines), { objectMode: false }), 4 * 1024 * 1024, 2, {
        blobHTTPHeaders: { blobContentType: `text/${isCsv ? 'csv' : 'plain'}; charset=utf-8` },
      });
  }

  const lines = [...listed.first, ...listed.rejected].slice(0, LISTED_LINES);
  const ending = endingWith(configurations?.counts, input.endingOf(outcomes));
  await writeJson(results.getBlockBlobClient(files.json), {
    run: summaryOf(context, record, ending),
    input: { ...check.counts, sha256: check.sha256 },
    outcomes,
    afterJob: input.afterJob,
    reasons: [...byCode.values()].sort((a, b) => b.count - a.count),
    lines,
    linesNotListed: needing - lines.length,
    configurations: configurations?.section,
    files,
  });
  return { outcomes, files, ...defined({ configurations: configurations?.counts }), ...ending };
}

/**
 * A report for a run that ended before its lines could be read, or whose lines cannot be read any more: then it says how
 * many there were, what became of them alike, and why there is no list (`linesNotShown`).
 */
export async function writeShortReport(
  context: ProvisioningContext,
  record: ProvisionRun,
  ending: Ending & Partial<ReportResult>,
  linesNotShown?: string,
): Promise<RunReportFiles> {
  const { state, error, outcomes, configurations } = ending;
  const results = context.storage.container(RESULTS_CONTAINER);
  await ensureContainer(results);
  const json = `${resultFolder(record)}/report.json`;
  await writeJson(results.getBlockBlobClient(json), {
    run: summaryOf(context, record, { state, error }),
    input: outcomes && record.check,
    outcomes,
    linesNotShown,
    configurations: configurations && { counts: configurations },
  });
  return { container: RESULTS_CONTAINER, json };
}

/** The lines that failed, as the file had them, to be corrected and dropped again. */
async function* failedLines(input: ReportInput, blobs: CheckBlobs): AsyncGenerator<string> {
  const parents = await readParentsAlong(blobs.parents);
  for await (const line of linesOf(blobs.devices)) {
    const device = JSON.parse(line) as { id: string; moduleId?: string; importMode?: string };
    const isDevice = !isModuleLine(device);
    const parent = isDevice ? await parents.of(device.id) : undefined;
    if (!input.isFailed(device.id, device.moduleId, device.importMode)) continue;
    const isThere = isDevice && input.isThere?.(device.id) === true;
    const asked = withoutFiller(line);
    yield parent === undefined ? asked : againWithParent(asked, parent, isThere);
  }
}

/** The line with its parent, which the hub was not given; as an update if the device is there by now. */
function againWithParent(line: string, parent: string | null, isThere: boolean): string {
  const members = memberMap(line);
  if (isThere) members.set('importMode', '"update"');
  return objectText(members.set('parent', JSON.stringify(parent)));
}

function verdictFor(entry: IndexEntry, input: ReportInput): Verdict {
  if (isAccepted(entry)) return input.verdictOf(entry);
  return { outcome: entry.kind, code: entry.code, reason: entry.reason, action: entry.action };
}

function count(
  byCode: Map<string, ReportedReason>,
  verdict: Verdict & { readonly code: string },
  { line, id, moduleId }: IndexEntry,
): void {
  // Lines of a dry run have one code; what would happen to them is one of a few sentences.
  const key = `${verdict.outcome} ${verdict.code}${verdict.code === 'dryRun' ? ` ${verdict.reason}` : ''}`;
  const known = byCode.get(key);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  const { tries: _tries, ...alike } = verdict;
  byCode.set(key, {
    ...alike,
    line,
    deviceId: id,
    moduleId,
    count: 1,
  });
}

/** The record as it will stand once the run has ended. */
function summaryOf(context: ProvisioningContext, record: ProvisionRun, ending: Ending): object {
  const {
    version: _version,
    startClaim: _claim,
    phase: _phase,
    waiting: _waiting,
    outcomes: _outcomes,
    report: _report,
    updatedAt: _updated,
    ...rest
  } = record;
  return { ...rest, ...ending, finishedAt: context.now().toISOString() };
}
