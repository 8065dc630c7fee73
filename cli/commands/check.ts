import { createReadStream } from 'node:fs';
import { defined } from '../../src/lib/defined.ts';
import {
  type AcceptedLine,
  type CheckSummary,
  checkDevicesFile,
  FileRefused,
} from '../../src/lib/devicesFile/checkDevicesFile.ts';
import { withoutAdditions } from '../../src/lib/devicesFile/lineText.ts';
import { checkRulesOf } from '../../src/lib/provisioning/check/checkRules.ts';
import { configurationsRefusal, refusalOf } from '../../src/lib/provisioning/check/rejectLimits.ts';
import { memberMap, objectText } from '../../src/lib/textFile/jsonMembers.ts';
import { checkConfigurations, renderConfigurations, withoutContent } from '../app/configurations.ts';
import { inspectFile, optionsOf } from '../app/drop.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { optionFlags } from '../app/optionFlags.ts';
import { refusedFile } from '../app/refusedFile.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import type { OptionFlags } from '../render/commandText.ts';
import { type Finding, renderFinding } from '../render/findingText.ts';
import { formatBytes, formatCount, formatPlural } from '../render/format.ts';
import type { Output } from '../render/output.ts';
import { createStatusDisplay } from '../render/statusDisplay.ts';
import { behind, wrap, wrapWords } from '../render/wrap.ts';

export interface CheckFlags extends OptionFlags {
  /** Show every finding, not only the first ones. */
  readonly all?: boolean;
  /** Path of the configurations that go into the same job. */
  readonly configurations?: string;
}

/** As it is told to people, and with what a script asks for. */
interface CheckFinding extends Finding {
  readonly code: string;
  readonly path?: string;
}

const SHOWN_OF_A_KIND = 50;
/** Rows of a CSV file that are shown as they would be imported. */
const PREVIEWED_ROWS = 3;
/** Smaller files are checked before anybody could read about it. */
const SLOW_BYTES = 8 * 1024 * 1024;

/** `check FILE`: what a run would make of the file, found on this machine. */
export async function check(path: string, flags: CheckFlags, output: Output): Promise<ExitCode> {
  const options = optionsOf(optionFlags(flags));
  const file = await inspectFile(path);
  const configurationsPath = flags.configurations;
  const configurations = configurationsPath === undefined ? undefined : await checkConfigurations(configurationsPath);
  return withInterrupt(async (signal) => {
    const findings = collectFindings(flags.all === true, output);
    const preview: Previewed[] = [];
    const accepted = (line: AcceptedLine): void => {
      if (file.format === 'csv' && preview.length < PREVIEWED_ROWS) preview.push(previewOf(line));
    };
    const status = createStatusDisplay(output.stderr);
    let read = 0;
    const open = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
        read += (chunk as Uint8Array).length;
        const fraction = Math.min(1, read / file.bytes);
        if (!flags.all && file.bytes > SLOW_BYTES) status.show({ text: `checking ${path}`, fraction });
        yield chunk as Uint8Array;
      }
    };
    try {
      const summary = await checkDevicesFile(
        open,
        {
          format: file.format,
          ...checkRulesOf(options),
          abortSignal: signal,
        },
        {
          device: accepted,
          module: accepted,
          skipped: (finding) => findings.add({ kind: 'skipped', ...finding }),
          rejected: ({ raw: _, ...finding }) => findings.add({ kind: 'rejected', ...finding }),
          warning: ({ message, ...finding }) => findings.add({ kind: 'warning', ...finding, reason: message }),
          drain: () => findings.drained(),
        },
      );
      status.end();
      const refused =
        refusalOf(summary, options) ??
        (configurations && configurationsRefusal({ ...configurations, lines: configurations.lines.length }, options));
      const refusal = refused === undefined ? undefined : `A run would be refused: ${refused.message}`;
      for (const line of renderPreview(preview, output)) output.print(line);
      for (const line of findings.lines(summary)) output.print(line);
      for (const line of renderSummary(path, summary, refusal, output)) output.print(line);
      if (configurations !== undefined && configurationsPath !== undefined) {
        for (const line of renderConfigurations(configurationsPath, configurations, output)) output.print(line);
      }
      output.printJson({
        file: path,
        summary,
        ...findings.lists(),
        ...(file.format === 'csv'
          ? { preview: preview.map(({ line, text }) => ({ line, device: JSON.parse(text) as unknown })) }
          : {}),
        ...(configurations === undefined ? {} : { configurations: withoutContent(configurations) }),
        ...defined({ refusal }),
      });
      if (refusal !== undefined) return EXIT.usage;
      return summary.rejected + (configurations?.rejected ?? 0) > 0 ? EXIT.someFailed : EXIT.ok;
    } catch (error) {
      status.end();
      throw error instanceof FileRefused ? refusedFile(path, error) : error;
    }
  });
}

/** What a row of a CSV file says, as a line of JSON without its keys. */
interface Previewed {
  readonly line: number;
  readonly text: string;
}

function previewOf({ line, text }: AcceptedLine): Previewed {
  return { line, text: withoutKeys(withoutAdditions(text)) };
}

/** The values of the twin stay as they are written. */
function withoutKeys(text: string): string {
  const members = memberMap(text);
  const authentication = members.get('authentication');
  if (authentication === undefined) return text;
  const shown = JSON.parse(authentication) as { symmetricKey?: Record<string, unknown> };
  for (const name of Object.keys(shown.symmetricKey ?? {})) shown.symmetricKey = { ...shown.symmetricKey, [name]: '…' };
  return objectText(members.set('authentication', JSON.stringify(shown)));
}

function renderPreview(preview: readonly Previewed[], { style: paint, columns }: Output): readonly string[] {
  if (preview.length === 0) return [];
  const rows = preview.map(({ line, text }) => cutTo(columns, `${`line ${line}`.padEnd(10)}  ${text}`));
  return [paint('dim', 'The first rows, as they are read:'), ...rows, ''];
}

/** All of a row is in the JSON. */
function cutTo(columns: number | undefined, text: string): string {
  const characters = [...text];
  return columns === undefined || characters.length <= columns ? text : `${characters.slice(0, columns - 1).join('')}…`;
}

interface FindingList {
  add(finding: CheckFinding): void;
  /** A promise while the reader of stdout is behind. */
  drained(): Promise<void> | undefined;
  /** Lines not printed yet, and how many were left out. */
  lines(summary: CheckSummary): readonly string[];
  lists(): Readonly<Record<'problems' | 'skipped' | 'warnings', readonly object[]>>;
}

/** Keeps the first findings of each kind for the end; with `all` prints each at once, or keeps all for the JSON. */
function collectFindings(all: boolean, output: Output): FindingList {
  const kept: CheckFinding[] = [];
  const counts = { rejected: 0, skipped: 0, warning: 0 };
  const printsAtOnce = all && !output.json;
  const asJson = (kind: CheckFinding['kind']): readonly object[] =>
    kept
      .filter((finding) => finding.kind === kind)
      .sort((a, b) => a.line - b.line)
      .map(({ kind: _, ...finding }) => finding);
  return {
    add(finding) {
      counts[finding.kind] += 1;
      if (printsAtOnce) for (const line of renderFinding(finding, output)) output.print(line);
      else if (all || counts[finding.kind] <= SHOWN_OF_A_KIND) kept.push(finding);
    },
    drained: () =>
      printsAtOnce && process.stdout.writableNeedDrain
        ? new Promise((resolve) => process.stdout.once('drain', () => resolve()))
        : undefined,
    lines(summary) {
      const hidden = [
        moreOf(summary.rejected - SHOWN_OF_A_KIND, 'problem'),
        moreOf(summary.skipped - SHOWN_OF_A_KIND, 'skipped line'),
        moreOf(summary.warnings - SHOWN_OF_A_KIND, 'warning'),
      ].filter((text) => text !== undefined);
      return [
        ...kept.toSorted((a, b) => a.line - b.line).flatMap((finding) => renderFinding(finding, output)),
        ...(hidden.length === 0 || all
          ? []
          : wrap(`… ${hidden.join(' and ')} not shown: --all shows them all.`, 0, output.columns)),
      ];
    },
    lists: () => ({ problems: asJson('rejected'), skipped: asJson('skipped'), warnings: asJson('warning') }),
  };
}

function moreOf(count: number, what: string): string | undefined {
  return count > 0 ? formatPlural(count, `more ${what}`) : undefined;
}

/** Where the modes stand, behind what is counted. */
const DETAIL_COLUMN = 25;

function renderSummary(
  path: string,
  summary: CheckSummary,
  refusal: string | undefined,
  { style: paint, columns }: Output,
): readonly string[] {
  const row = (name: string, count: number): string => `  ${name.padEnd(12)}${formatCount(count).padStart(9)}`;
  const modes = Object.entries(summary.byMode).map(([mode, count]) => `${mode} ${formatCount(count)}`);
  const identities = [
    formatPlural(summary.devices, 'device'),
    ...(summary.modules === 0 ? [] : [formatPlural(summary.modules, 'module')]),
  ];
  // A mode stays with its count.
  const detail = [...separated(identities, modes.length === 0 ? '' : ':'), ...separated(modes, '')];
  const accepted = summary.devices + summary.modules;
  const findings = summary.rejected + summary.skipped + summary.warnings > 0 ? [''] : [];
  return [
    ...findings,
    `${paint('bold', path)}: ${formatPlural(summary.lines, 'line')}, ${formatBytes(summary.bytes)}`,
    '',
    ...behind(`${row('importable', accepted)}  `, wrapWords(detail, DETAIL_COLUMN, columns)).map((line) =>
      paint('green', line),
    ),
    ...(summary.rejected === 0 ? [] : [paint('red', row('rejected', summary.rejected))]),
    ...(summary.skipped === 0 ? [] : [row('skipped', summary.skipped)]),
    ...(summary.warnings === 0 ? [] : [paint('yellow', row('warnings', summary.warnings))]),
    ...(refusal === undefined ? [] : ['', ...wrap(refusal, 0, columns)]),
  ];
}

/** Commas between the parts, and `end` behind the last. */
function separated(parts: readonly string[], end: string): readonly string[] {
  return parts.map((part, index) => `${part}${index < parts.length - 1 ? ',' : end}`);
}
