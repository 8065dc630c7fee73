/** The check of a drop: what it makes of the lines of the file, in the container of the run. */

import { randomBytes } from 'node:crypto';

import type { ContainerClient } from '@azure/storage-blob';
import { type AcceptedLine, type CheckSink, checkDevicesFile } from '../../devicesFile/checkDevicesFile.ts';
import { IMPORT_MODES, MODE_RULES } from '../../devicesFile/importMode.ts';
import { openStaging } from '../../runs/runContainer.ts';
import { createBlockWriter } from '../../storage/blockWriter.ts';
import { makeOnce } from '../../storage/jsonBlob.ts';
import { assertDropUnchanged, openDrop } from '../drop/drop.ts';
import { formatOfDrop } from '../drop/dropPath.ts';
import { type CheckCounts, optionsOf, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { CHECK_BLOB, type CheckBlobs, type CheckResult, checkBlobs } from './checkResult.ts';
import { checkRulesOf } from './checkRules.ts';
import { encodeEntry, type IndexEntry } from './lineIndex.ts';
import { encodeMissingRow } from './missingRows.ts';
import { encodeParentRow } from './parentRows.ts';
import { configurationsRefusal, refusalOf } from './rejectLimits.ts';
import { snapshotConfigurations } from './snapshotConfigurations.ts';

const DEVICES = 0;
const MODULES = 1;

/**
 * Checks the dropped file in one streaming pass and stages what the import job will read: a normalised `devices.txt`
 * with the devices first and the modules last, an index of what became of each line, and the rejected lines.
 *
 * Repeating it is harmless: each attempt writes blobs of its own, and the first to write `check.json` decides.
 *
 * @throws FileRefused when the file cannot be read as lines at all
 * @throws ConfigurationsRefused when the `configurations.txt` beside it cannot
 * @throws DropChanged when it is no longer the version that the run was made for
 */
export async function checkDrop(context: ProvisioningContext, record: ProvisionRun): Promise<CheckResult> {
  const container = await openStaging(context, record.runId);
  const manifest = container.getBlockBlobClient(CHECK_BLOB);
  return makeOnce(manifest, () => check(context, record, container));
}

async function check(
  context: ProvisioningContext,
  record: ProvisionRun,
  container: ContainerClient,
): Promise<CheckResult> {
  const options = optionsOf(record);
  const attempt = randomBytes(4).toString('hex');
  // First: whatever becomes of the blob while the devices are checked does not matter any more.
  const configurations = await snapshotConfigurations(context, record, attempt);
  const staged = createStaging(checkBlobs(container, attempt));
  const summary = await checkDevicesFile(
    () => openDrop(context, record),
    {
      format: formatOfDrop(record.drop.blobName),
      ...checkRulesOf(options),
    },
    staged.sink,
  );
  const { incomplete, withParent, disables } = await staged.commit();
  // The file may have been replaced while it was read over more than one connection.
  await assertDropUnchanged(context, record);

  const refused = refusalOf(summary, options) ?? (configurations && configurationsRefusal(configurations, options));
  const { sha256, ...counts } = summary;
  return {
    attempt,
    counts,
    accepted: summary.devices + summary.modules,
    incomplete,
    parents: withParent,
    deletes: deletesIn(summary.byMode),
    disables,
    sha256,
    ...(configurations === undefined ? {} : { configurations }),
    ...(refused === undefined ? {} : { refused }),
  };
}

interface Staging {
  readonly sink: CheckSink;
  /** Makes the blobs appear; how many of the accepted lines lack something, name a parent, or may disable a device. */
  commit(): Promise<{ readonly incomplete: number; readonly withParent: number; readonly disables: number }>;
}

/** Writes what the check finds. */
function createStaging(blobs: CheckBlobs): Staging {
  const devices = createBlockWriter(blobs.devices, 2);
  const index = createBlockWriter(blobs.index);
  const rejectedLines = createBlockWriter(blobs.rejectedLines);
  const missing = createBlockWriter(blobs.missing, 2);
  const parents = createBlockWriter(blobs.parents);
  const writers = [devices, index, missing, parents, rejectedLines];
  const writeEntry = (entry: IndexEntry): void => index.writeLine(0, encodeEntry(entry));
  let incomplete = 0;
  let withParent = 0;
  let disables = 0;

  // Warnings of a line come before the line itself.
  let warned: { line: number; message: string } | undefined;
  const accepted = (kind: 'device' | 'module', section: number) => (line: AcceptedLine) => {
    devices.writeLine(section, line.text);
    const { id, mode } = line;
    if (line.missing.length > 0) {
      incomplete += 1;
      missing.writeLine(section, encodeMissingRow(line, line.missing));
    }
    if (line.parent !== undefined) {
      if (line.parent !== null) withParent += 1;
      parents.writeLine(0, encodeParentRow([id, line.parent, mode]));
    }
    if (writesDisabled(line)) disables += 1;
    writeEntry({
      kind,
      line: line.line,
      id,
      ...(line.moduleId === undefined ? {} : { moduleId: line.moduleId }),
      mode,
      ...(warned?.line === line.line ? { warning: warned.message } : {}),
    });
  };
  const sink: CheckSink = {
    // Rejected rows can be dropped again only under their header.
    header: (raw) => rejectedLines.writeLine(0, raw),
    device: accepted('device', DEVICES),
    module: accepted('module', MODULES),
    rejected({ raw, ...line }) {
      rejectedLines.writeLine(0, raw);
      writeEntry({ ...line, kind: 'rejected' });
    },
    skipped(line) {
      writeEntry({ ...line, kind: 'skipped' });
    },
    warning(warning) {
      const { line, id, message } = warning;
      // Those of the file are in the summary; they are no line's.
      if (id === undefined) return;
      warned = { line, message: warned?.line === line ? `${warned.message} ${message}` : message };
    },
    drain() {
      const waits = writers.map((writer) => writer.drain()).filter((wait) => wait !== undefined);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
  };

  return {
    sink,
    async commit() {
      await Promise.all(writers.map((writer) => writer.commit()));
      return { incomplete, withParent, disables };
    },
  };
}

function deletesIn(byMode: CheckCounts['byMode']): number {
  return IMPORT_MODES.reduce((sum, mode) => sum + (MODE_RULES[mode].deletes ? (byMode[mode] ?? 0) : 0), 0);
}

/** Whether the line may disable a device that exists. */
function writesDisabled(line: AcceptedLine): boolean {
  if (!MODE_RULES[line.mode].mayOverwrite || line.moduleId !== undefined) return false;
  // Parsing is for the few lines in which the word occurs at all, or may be written with escapes.
  return (
    /"disabled"|\\u00/i.test(line.text) &&
    (JSON.parse(line.text) as { status?: string }).status?.toLowerCase() === 'disabled'
  );
}
