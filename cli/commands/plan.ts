import { type FileHandle, open, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import { HubKeeperError } from '../../src/lib/errors.ts';
import { type ChangeRecord, changeRecord, hasFindings, planCounts } from '../../src/lib/registryLines/changeForms.ts';
import { compareSnapshots, type RejectedIdentityLine } from '../../src/lib/registryLines/compareSnapshots.ts';
import { isDiskFull, SPILL_TEXTS } from '../../src/lib/registryLines/spillTexts.ts';
import type { DevicesFile } from '../app/drop.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { outFileError } from '../app/outFile.ts';
import { inspectSnapshotFile, snapshotFile } from '../app/snapshotFile.ts';
import { CliError, usageError } from '../cliError.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { commandText } from '../render/commandText.ts';
import { compareIds, renderChanges, renderCounts, renderUnknownKeys } from '../render/comparisonText.ts';
import { renderFinding } from '../render/findingText.ts';
import { formatCount, formatPlural } from '../render/format.ts';
import type { Output } from '../render/output.ts';
import { createStatusDisplay } from '../render/statusDisplay.ts';

export interface PlanFlags {
  /** File for all changes, one line of JSON each. */
  readonly out?: string;
}

/** Changes that are shown; all of them go into the file. */
const SHOWN_CHANGES = 20;
/** Of each file. */
const SHOWN_REJECTED = 20;
/** Smaller files are compared before anybody could read about it. */
const SLOW_BYTES = 16 * 1024 * 1024;
const CHUNK_CHARACTERS = 64 * 1024;

/** `plan FILE FILE2`: what there would be to do to come from the one to the other, found on this machine. */
export async function plan(before: string, after: string, flags: PlanFlags, output: Output): Promise<ExitCode> {
  const files = [await inspectSnapshotFile(before), await inspectSnapshotFile(after)] as const;
  for (const { path, bytes } of files) {
    if (bytes === 0) output.note(`${path} is empty: it is taken for a hub without devices.`);
  }
  if (flags.out !== undefined) await refuseOverwriting(flags.out, [before, after]);
  return withInterrupt((signal) => planFiles(files, flags, output, signal));
}

async function planFiles(
  [before, after]: readonly [DevicesFile, DevicesFile],
  { out }: PlanFlags,
  output: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  const status = createStatusDisplay(output.stderr);
  const rejected = createRejectedLines();
  const bytes = before.bytes + after.bytes;
  let read = 0;
  const side = (file: DevicesFile, name: 'before' | 'after') =>
    snapshotFile(
      file,
      {
        read: (count) => {
          read += count;
          if (bytes > SLOW_BYTES) status.show({ text: `reading ${file.path}`, fraction: Math.min(1, read / bytes) });
        },
        rejected: (line, problem) => rejected.add({ side: name, line, ...problem }),
      },
      signal,
    );
  try {
    const comparison = compareSnapshots(side(before, 'before'), side(after, 'after'), {
      folder: tmpdir(),
      signal,
      rejected: rejected.add,
    });
    const first = await takeChanges(comparison.changes(), out);
    status.end();
    const counts = { ...comparison.counts(), rejected: rejected.count() };
    const shown = { counts: planCounts(counts), first, out };
    const lines = { before: rejected.of('before'), after: rejected.of('after') };
    for (const line of renderPlan([before.path, after.path], shown, lines, output)) output.print(line);
    output.printJson({
      before: before.path,
      after: after.path,
      ...shown.counts,
      changes: first,
      rejectedLines: [...withFile(lines.before, before.path), ...withFile(lines.after, after.path)],
      out,
    });
    return hasFindings(counts) ? EXIT.someFailed : EXIT.ok;
  } catch (error) {
    throw explained(error, out);
  } finally {
    status.end();
  }
}

/** A full disk is no wrong usage. */
function explained(error: unknown, out: string | undefined): unknown {
  if (error instanceof HubKeeperError && Object.hasOwn(SPILL_TEXTS, error.code)) {
    return new CliError(EXIT.failed, error.message, error.action);
  }
  if (out === undefined || !isDiskFull(error)) return error;
  return new CliError(EXIT.failed, `There is no room for ${out}.`, 'Make room, or give another file with --out.');
}

/** The file of changes must be none of those that are compared. */
async function refuseOverwriting(out: string, files: readonly string[]): Promise<void> {
  const target = await realpath(out).catch(() => undefined);
  if (target === undefined) return;
  for (const file of files) {
    if ((await realpath(file)) === target) {
      throw usageError(`${out} is one of the files that are compared.`, 'Give another file with --out.');
    }
  }
}

/** Reads all changes, writes them where asked, and gives the first. */
async function takeChanges(
  changes: AsyncGenerator<Parameters<typeof changeRecord>[0], void>,
  out: string | undefined,
): Promise<readonly ChangeRecord[]> {
  const file = out === undefined ? undefined : await openOut(out);
  const first = createFirstChanges();
  let chunk = '';
  try {
    for await (const change of changes) {
      const record = changeRecord(change);
      first.add(record);
      if (file === undefined) continue;
      chunk += `${JSON.stringify(record)}\n`;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      await file.appendFile(chunk);
      chunk = '';
    }
    await file?.appendFile(chunk);
  } finally {
    await file?.close();
  }
  return first.changes();
}

/** The first by their ids, whatever order they come in. */
function createFirstChanges() {
  const first: ChangeRecord[] = [];
  return {
    add(change: ChangeRecord): void {
      const last = first[SHOWN_CHANGES - 1];
      if (last !== undefined && compareIds(change, last) > 0) return;
      first.push(change);
      first.sort(compareIds);
      first.length = Math.min(first.length, SHOWN_CHANGES);
    },
    changes: (): readonly ChangeRecord[] => first,
  };
}

async function openOut(out: string): Promise<FileHandle> {
  try {
    return await open(out, 'w');
  } catch (error) {
    throw outFileError(error, out);
  }
}

interface RejectedLines {
  add(line: RejectedIdentityLine): void;
  count(): number;
  /** The first of a side. */
  of(side: 'before' | 'after'): readonly RejectedIdentityLine[];
}

/** They come bucket by bucket: of all those of a side the first lines are kept. */
function createRejectedLines(): RejectedLines {
  const kept = { before: [] as RejectedIdentityLine[], after: [] as RejectedIdentityLine[] };
  let count = 0;
  const firstOf = (lines: readonly RejectedIdentityLine[]): RejectedIdentityLine[] =>
    lines.toSorted((a, b) => a.line - b.line).slice(0, SHOWN_REJECTED);
  return {
    add(line) {
      count += 1;
      kept[line.side].push(line);
      if (kept[line.side].length > SHOWN_REJECTED * 50) kept[line.side] = firstOf(kept[line.side]);
    },
    count: () => count,
    of: (side) => firstOf(kept[side]),
  };
}

function withFile(lines: readonly RejectedIdentityLine[], file: string): readonly object[] {
  return lines.map(({ side: _, ...line }) => ({ file, ...line }));
}

interface Shown {
  readonly counts: ReturnType<typeof planCounts>;
  readonly first: readonly ChangeRecord[];
  readonly out: string | undefined;
}

function renderPlan(
  [before, after]: readonly [string, string],
  { counts, first, out }: Shown,
  rejected: Readonly<Record<'before' | 'after', readonly RejectedIdentityLine[]>>,
  output: Output,
): readonly string[] {
  const { style: paint } = output;
  const lines: string[] = [];
  for (const [path, found] of [
    [before, rejected.before],
    [after, rejected.after],
  ] as const) {
    if (found.length === 0) continue;
    lines.push(`Not compared, in ${paint('bold', path)}:`);
    for (const { side: _, ...line } of found) lines.push(...renderFinding({ kind: 'rejected', ...line }, output));
    lines.push('');
  }
  const shownRejected = rejected.before.length + rejected.after.length;
  if (counts.rejected > shownRejected) {
    lines.push(`… and ${formatPlural(counts.rejected - shownRejected, 'more line')} not compared.`, '');
  }
  lines.push(`From ${paint('bold', before)} to ${paint('bold', after)}:`, '', ...renderCounts(counts, output));
  const all = counts.create + counts.change + counts.delete;
  if (all > 0) {
    const which = all > first.length ? `The first ${first.length} of ${formatCount(all)} changes` : 'The changes';
    lines.push('', `${which}:`, '', ...renderChanges(first, output));
  }
  lines.push(...renderUnknownKeys(counts, output));
  if (out !== undefined) lines.push('', `${formatPlural(all, 'change')}, one a line: ${out}`);
  else if (all > first.length) {
    lines.push('', `All of them, one a line: ${commandText('plan', before, after, '--out', 'FILE')}`);
  }
  return lines;
}
