/**
 * Writes `docs/outcomes.md`, the reference of all codes, from the tables that the app itself speaks from.
 *
 *     npm run docs:outcomes
 */

import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import {
  CONFIGURATION_FILE_REASONS,
  CONFIGURATION_REJECTS,
  CONFIGURATION_WARNINGS,
} from '../src/lib/configurationsFile/configurationReasons.ts';
import { REJECT_REASONS, SKIP_REASONS, WARNINGS } from '../src/lib/devicesFile/reasons.ts';
import {
  API_CODES,
  CALL_CODES,
  OUTCOME_CODES,
  type OutcomeCode,
  RUN_ERROR_CODES,
} from '../src/lib/provisioning/texts/outcomeCodes.ts';
import { HUB_ERRORS, type HubErrorClass } from '../src/lib/registry/errorCodes.ts';
import { FILE_REASONS } from '../src/lib/textFile/fileReasons.ts';
import type { ReasonText } from '../src/lib/textFile/reasonText.ts';

/** What the app does by itself about an error of a hub. */
const RETRIED: Readonly<Record<HubErrorClass, string>> = {
  transient: 'yes',
  quota: 'one by one',
  permanent: 'no',
};

/** Words for what a sentence leaves open; numbers are `N`. */
const OPEN: Readonly<Record<string, string>> = {
  path: 'FIELD',
  file: 'FILE',
  hint: '',
  character: 'which',
  problem: 'PROBLEM',
  mode: 'MODE',
  modes: 'the nine modes',
  instead: 'MODE',
  type: 'TYPE',
  what: 'id',
  expected: 'of another type',
  meant: 'NAME',
  name: 'NAME',
  kinds: 'KIND and KIND',
  format: 'FORMAT',
  field: 'the field that is meant',
  ids: 'the column with the device ids',
  keys: 'Column N "NAME" looks like a key or another credential',
  them: 'it',
  lines: 'N lines have',
  examples: 'an example of each',
};

const CODES = ['code', 'what happened', 'what to do'];
const RETRIED_CODES = [...CODES, 'tried again by HubKeeper'];

/** The whole page. */
export function renderOutcomes(): string {
  return `${[
    '<!-- biome-ignore-all format: tables stay as narrow as their text -->',
    '<!-- Written by `npm run docs:outcomes` from the tables in src/lib; change those. -->',
    '# Codes in reports, and what to do about them',
    'Every code that stands in `report.csv`, `report.json`, `configurations.csv`, a run record, a reply of the HTTP API or ' +
      'an error of the command line. In sentences, words in capitals and N stand for what the message fills in. The ' +
      'outcomes themselves are in the [README](../README.md#outcomes), the format in [The devices file](file-format.md).',
    '*Tried again by HubKeeper*: `yes` means that it can pass by itself, and that the app has tried again before a person ' +
      'is told: calls to the hub a few times at once; lines, and reading back what became of them, for as long as ' +
      '`retryMinutes` allows. `one by one`: lines that met a full hub are sent singly after all others.',
    '## Lines: what became of them',
    'Of lines that the check accepted, devices and configurations.',
    retriedTable(OUTCOME_CODES),
    '## Lines: rejected by the check',
    'The hub never sees them, and nothing is tried again until a person corrects them.',
    '### Devices',
    reasonTable(REJECT_REASONS),
    '### Configurations',
    reasonTable(CONFIGURATION_REJECTS),
    '## Lines: skipped',
    reasonTable(SKIP_REASONS),
    '## Lines: imported with a warning',
    'In the report their code is `checkWarning`; `hubkeeper check` names these.',
    reasonTable({ ...WARNINGS, ...CONFIGURATION_WARNINGS }),
    '## Files that are refused',
    'Nothing of the drop is sent; the run is `refused`.',
    reasonTable({ ...FILE_REASONS, ...CONFIGURATION_FILE_REASONS }),
    '## Runs',
    'The `error` of a run.',
    retriedTable(RUN_ERROR_CODES),
    '## Calls to a hub',
    'When a hub gave no answer of its own, or a call was never sent. Codes such as `Http502` are the status of a reply ' +
      'that names no error; 408, 429 and 5xx are tried again.',
    retriedTable(CALL_CODES),
    '## HTTP API',
    retriedTable(API_CODES),
    '## Errors of a hub',
    'Names are those of the registry operations of IoT Hub, numbers those of `importErrors.log`. A code that is not ' +
      'here is shown as the hub gave it, such as `Error499001`.',
    table(
      ['name', 'number', 'what happened', 'what to do', 'tried again by HubKeeper'],
      HUB_ERRORS.map(({ name, code, sentence, action, class: errorClass }) => [
        `\`${name}\``,
        code === undefined ? '' : String(code),
        sentence,
        action,
        RETRIED[errorClass],
      ]),
    ),
  ].join('\n\n')}\n`;
}

function reasonTable(reasons: Readonly<Record<string, ReasonText>>): string {
  const rows = Object.entries(reasons).map(([code, { says, action }]) => [`\`${code}\``, open(says), open(action)]);
  return table(CODES, rows);
}

function retriedTable(codes: Readonly<Record<string, OutcomeCode>>): string {
  const rows = Object.entries(codes).map(([code, { says, action, retried }]) => [`\`${code}\``, says, action, retried]);
  return table(RETRIED_CODES, rows);
}

function open(template: string): string {
  const text = template.replace(/\{([a-z]+)\}/g, (_, name: string) => OPEN[name] ?? 'N');
  // All of the sentence was a hint at what may be meant.
  return text === '.' ? 'Use one of these.' : text;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map((row) => line(row.map(escaped)))].join('\n');
}

/** Text that would be read as Markdown; code keeps its backticks. */
function escaped(text: string): string {
  if (/^`\w+`$/.test(text)) return text;
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/[|_*<]/g, '\\$&')))
    .join('');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL('outcomes.md', import.meta.url), renderOutcomes());
}
