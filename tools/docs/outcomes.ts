/** `docs/outcomes.md`, the reference of all codes, out of the tables that the app itself speaks from. */

import { API_TEXTS } from '../../src/hosting/apiTexts.ts';
import { BACKUP_TEXTS } from '../../src/lib/backup/backupErrors.ts';
import { type CodeText, codeOf } from '../../src/lib/codeText.ts';
import {
  CONFIGURATION_FILE_REASONS,
  CONFIGURATION_REJECTS,
  CONFIGURATION_WARNINGS,
} from '../../src/lib/configurationsFile/configurationReasons.ts';
import { REJECT_REASONS, SKIP_REASONS, WARNINGS } from '../../src/lib/devicesFile/reasons.ts';
import { DEAD_LETTER_TEXTS } from '../../src/lib/mirror/events/deadLetterTexts.ts';
import { MIRROR_QUERY_TEXTS } from '../../src/lib/mirror/query/queryTexts.ts';
import { RECONCILE_TEXTS } from '../../src/lib/mirror/reconcile/reconcileTexts.ts';
import { DOUBTS, OUTCOME_TEXTS, type OutcomeText, unconfirmed } from '../../src/lib/provisioning/texts/outcomeTexts.ts';
import { RUN_ERRORS } from '../../src/lib/provisioning/texts/runErrors.ts';
import { CALL_TEXTS } from '../../src/lib/registry/callTexts.ts';
import { HUB_ERRORS, type HubErrorClass } from '../../src/lib/registry/errorCodes.ts';
import { EXTRAS_TEXTS } from '../../src/lib/registryExtras/extrasTexts.ts';
import { SPILL_TEXTS } from '../../src/lib/registryLines/spillTexts.ts';
import { ONLY_TEXTS, RESTORE_TEXTS } from '../../src/lib/restore/restoreTexts.ts';
import { RECORD_TEXTS } from '../../src/lib/runs/parseRunRecord.ts';
import { RESTART_TEXTS } from '../../src/lib/runs/restartRun.ts';
import { EFFECT_TEXTS } from '../../src/lib/runs/runEffects.ts';
import { SETTINGS_TEXTS } from '../../src/lib/settings.ts';
import { FILE_REASONS } from '../../src/lib/textFile/fileReasons.ts';
import type { ReasonText } from '../../src/lib/textFile/reasonText.ts';
import { UNDO_NOTES } from '../../src/lib/undo/undoTexts.ts';
import { WORK_TEXTS } from '../../src/lib/work/workErrors.ts';
import { code, table } from './markdown.ts';

/** What the app does by itself about an error of a hub. */
const RETRIED: Readonly<Record<HubErrorClass, string>> = {
  transient: 'yes',
  quota: 'one by one',
  permanent: 'no',
};

/** What stands for a gap of a sentence: its name in capitals, if nothing here; numbers are `N`. */
const GAPS: Readonly<Record<string, string>> = {
  // Of lines, as the checks find them.
  path: 'FIELD',
  hint: '',
  character: 'which',
  modes: 'the nine modes',
  instead: 'MODE',
  what: 'id',
  expected: 'of another type',
  meant: 'NAME',
  kinds: 'KIND and KIND',
  field: 'the field that is meant',
  ids: 'the column with the device ids',
  keys: 'Column N "NAME" looks like a key or another credential',
  them: 'it',
  lines: 'N lines have',
  examples: 'an example of each',
  fields: 'FIELDS',
  // Of runs and their lines.
  words: ' ("THE HUB\'S WORDS")',
  wrong: '',
  partly: '',
  codes: 'CODES',
  errors: 'N errors',
  hubs: 'HUBS',
  ahead: 'N runs are ahead',
  job: '',
  why: 'ended as "STATUS"',
  deadline: 'TIME',
  form: 'HostName=…;SharedAccessKeyName=…;SharedAccessKey=…',
};
/** Gaps that are named as they stand, for they hold words. */
const WORDS =
  /^(?:file|problem|problems|mode|type|name|format|host|operation|cause|error|hub|source|options|option|status|container|run|state|id|identity|alias|blob|kind|was|reason)$/;

const CODES = ['code', 'what happened', 'what to do'];
const RETRIED_CODES = [...CODES, 'retried by HubKeeper'];

/** The whole page. */
export function renderOutcomes(): string {
  return `${[
    '<!-- biome-ignore-all format: tables stay as narrow as their text -->',
    '<!-- Written by `npm run docs` from the tables in src; change those. -->',
    '# Codes in reports, and what to do about them',
    'Every code that stands in `report.csv`, `report.json`, `configurations.csv`, a run record, a reply of the HTTP API or ' +
      'an error of the command line. In sentences, words in capitals and N stand for what the message fills in; a code ' +
      'that has several sentences stands here once for each. The outcomes themselves are in the ' +
      '[README](../README.md#outcomes), the format in [The devices file](file-format.md).',
    '*Retried by HubKeeper*: `yes` means that the failure can be transient, and that the app has retried before a person ' +
      'is told: calls to the hub a few times at once; lines, and the verification of what became of them, for as long as ' +
      '`retryMinutes` allows. `one by one`: lines that met a full hub are sent singly after all others.',
    '## Lines: what became of them',
    'Of lines that the check accepted, devices and configurations.',
    table(['code', 'outcome', ...RETRIED_CODES.slice(1)], [...outcomeRows(), ...doubtRows()]),
    '## Lines: rejected by the check',
    'The hub never sees them, and nothing is retried until a person corrects them.',
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
    codeTable({ ...RUN_ERRORS, ...RESTART_TEXTS, ...EFFECT_TEXTS }),
    '## Runs that do not provision',
    'The `error` of a run of another kind: of backups and all that is done with them, and of the mirror.',
    codeTable({ ...WORK_TEXTS, ...RESTORE_TEXTS, ...ONLY_TEXTS, ...RECONCILE_TEXTS, ...SPILL_TEXTS }),
    'What the plan of an undo says beside its counts (`notes` in its result).',
    codeTable(UNDO_NOTES),
    '## Backups',
    'A backup cannot be used as it was asked for. Nothing is changed.',
    codeTable(BACKUP_TEXTS),
    'What a restore puts back by calls of its own (edge modules, `managedBy`, configurations) fails one by one; all else ' +
      'is restored.',
    codeTable(EXTRAS_TEXTS),
    '## Dead letters of the mirror',
    'The `reason` of an event that [the mirror](mirror.md) could not use. Other events are not held up by it.',
    codeTable(DEAD_LETTER_TEXTS),
    '## Calls to a hub',
    'When a hub gave no answer of its own, or a call was never sent. Codes such as `Http502` are the status of a reply ' +
      'that names no error; 408, 429 and 5xx are retried.',
    codeTable({ ...CALL_TEXTS, ...SETTINGS_TEXTS }),
    '## HTTP API',
    codeTable({ ...API_TEXTS, ...RECORD_TEXTS }),
    'Of calls about [the mirror](mirror.md); [its status](mirror.md#status) has codes of its own.',
    codeTable(MIRROR_QUERY_TEXTS),
    '## Errors of a hub',
    'Names are those of the registry operations of IoT Hub, numbers those of `importErrors.log`. A code that is not ' +
      'here is shown as the hub gave it, such as `Error499001`.',
    table(
      ['name', 'number', 'what happened', 'what to do', 'retried by HubKeeper'],
      HUB_ERRORS.map((error) => [
        code(error.name),
        error.code === undefined ? '' : String(error.code),
        error.sentence,
        error.action,
        RETRIED[error.class],
      ]),
    ),
  ].join('\n\n')}\n`;
}

function outcomeRows(): string[][] {
  return Object.entries<OutcomeText>(OUTCOME_TEXTS).map(([key, text]) => {
    const [name = '', ...rest] = cellsOf(key, text);
    return [name, code(text.outcome), ...rest];
  });
}

function doubtRows(): string[][] {
  return Object.entries<CodeText>(DOUBTS).map(([key, text]) => {
    const why = key === 'existsOtherwise' ? 'read' : 'unread';
    const { reason = '', action = '' } = unconfirmed({ code: key, reason: text.says }, why);
    const [name = '', ...rest] = cellsOf(key, { ...text, says: reason, action });
    return [name, code('unconfirmed'), ...rest];
  });
}

function codeTable(texts: Readonly<Record<string, CodeText>>): string {
  return table(
    RETRIED_CODES,
    Object.entries(texts).map(([key, text]) => cellsOf(key, text)),
  );
}

/** Code, what happened, what to do, whether it was retried. */
export function cellsOf(key: string, { says, action, doc, retried }: CodeText): string[] {
  const todo = open(doc?.action ?? action ?? 'Nothing.');
  return [code(codeOf(key)), open(doc?.says ?? says), todo, retried === true ? 'yes' : 'no'];
}

function reasonTable(reasons: Readonly<Record<string, ReasonText>>): string {
  const rows = Object.entries(reasons).map(([key, { says, action }]) => [code(key), open(says), open(action)]);
  return table(CODES, rows);
}

/** A sentence with words for its gaps. */
function open(template: string): string {
  const text = template.replace(/\{([a-z]+)\}/g, (_, gap: string) => {
    return GAPS[gap] ?? (WORDS.test(gap) ? gap.toUpperCase() : 'N');
  });
  // All of the sentence was a hint at what may be meant.
  return text === '.' ? 'Use one of these.' : text;
}
