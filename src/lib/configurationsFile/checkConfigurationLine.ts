import { defined } from '../defined.ts';
import { displayName } from '../devicesFile/findings.ts';
import { isDeeperThan, isObject, meantKey, NESTING_LIMIT } from '../devicesFile/keyNames.ts';
import type { ConfigurationContent, ConfigurationInput } from '../registry/index.ts';
import { describe, type Finding, findingOf, type ReasonValues } from '../textFile/reasonText.ts';
import {
  CONFIGURATION_REJECTS,
  CONFIGURATION_WARNINGS,
  type ConfigurationRejectCode,
  type ConfigurationWarningCode,
} from './configurationReasons.ts';

export type ConfigurationProblem = Finding<ConfigurationRejectCode>;

export interface ConfigurationNote {
  readonly code: ConfigurationWarningCode;
  readonly message: string;
}

export interface LineVerdict {
  /** As far as it could be read. */
  readonly id?: string;
  /** Absent when there are problems. Its `etag` is set only when the hub is to compare it. */
  readonly configuration?: ConfigurationInput;
  readonly problems: readonly ConfigurationProblem[];
  readonly notes: readonly ConfigurationNote[];
}

/** Ids as the registry takes them (IoT Hub REST reference, Configuration – Create Or Update). */
const ID = /^[a-z0-9\-+%_*!']{1,128}$/;
/** The one value of `ConfigurationImportMode` (Azure IoT SDK for .NET). */
export const CONFIGURATION_MODE = 'createOrUpdateIfMatchETag';
const MOST_PRIORITY = 2 ** 31 - 1;

const KEYS = [
  'id',
  'schemaVersion',
  'labels',
  'content',
  'targetCondition',
  'priority',
  'metrics',
  'etag',
  'importMode',
] as const;
/** What exports and SDKs write besides; it says nothing that an import could use. */
const IGNORED_KEYS = ['contentType', 'createdTimeUtc', 'lastUpdatedTimeUtc', 'systemMetrics'] as const;
const CONTENT_KINDS = ['deviceContent', 'moduleContent', 'modulesContent'] as const;
type ContentKind = (typeof CONTENT_KINDS)[number];

interface Findings {
  reject(code: ConfigurationRejectCode, path?: string, values?: ReasonValues): void;
  warn(code: ConfigurationWarningCode, values: ReasonValues): void;
}

export function configurationProblem(
  code: ConfigurationRejectCode,
  values?: ReasonValues,
  path?: string,
): ConfigurationProblem {
  return findingOf<ConfigurationRejectCode>(CONFIGURATION_REJECTS, code, values, path);
}

/**
 * Checks one configuration, as an export job or the .NET class `ImportConfiguration` writes it. Its own keys are read in
 * any case (live exports write them in Pascal case); the keys of the content are kept as they are.
 */
export function checkConfigurationLine(value: unknown): LineVerdict {
  const problems: ConfigurationProblem[] = [];
  const notes: ConfigurationNote[] = [];
  const findings: Findings = {
    reject(code, path, values) {
      problems.push(configurationProblem(code, values, path));
    },
    warn(code, values) {
      notes.push({ code, message: describe(CONFIGURATION_WARNINGS[code], values) });
    },
  };
  if (!isObject(value)) {
    findings.reject('notAnObject');
    return { problems, notes };
  }
  if (isDeeperThan(value, NESTING_LIMIT)) {
    findings.reject('nestedTooDeep', 'The line', { limit: NESTING_LIMIT });
    return { problems, notes };
  }
  const fields = fieldsOf(value, '', [...KEYS, ...IGNORED_KEYS], findings);
  const id = readId(fields.id, findings);
  const etag = readEtag(fields.etag, fields.importMode, findings);
  const schemaVersion = readText(fields.schemaVersion, 'schemaVersion', findings);
  const targetCondition = readText(fields.targetCondition, 'targetCondition', findings);
  const labels = readTexts(fields.labels, 'labels', findings);
  const priority = readPriority(fields.priority, findings);
  const metricQueries = readQueries(fields.metrics, findings);
  const content = readContent(fields.content, findings);
  if (problems.length > 0 || id === undefined || content === undefined) {
    return { ...(id === undefined ? {} : { id }), problems, notes };
  }
  const optional = defined({ schemaVersion, labels, targetCondition, priority, metricQueries, etag });
  return { id, configuration: { id, content, ...optional }, problems, notes };
}

/** The values of an object whose keys are read in any case; null counts as absent. */
function fieldsOf<Key extends string>(
  value: Readonly<Record<string, unknown>>,
  parent: string,
  known: readonly Key[],
  findings: Findings,
): Partial<Record<Key, unknown>> {
  const fields: Partial<Record<Key, unknown>> = {};
  const seen = new Set<Key>();
  for (const [key, field] of Object.entries(value)) {
    const meant = meantKey(key, known);
    const path = `${parent}${meant ?? displayName(key)}`;
    if (meant === undefined) findings.warn('unknownKey', { path });
    else if (seen.has(meant)) findings.reject('keyTwice', path);
    else {
      seen.add(meant);
      if (field !== null && field !== undefined) fields[meant] = field;
    }
  }
  return fields;
}

function readId(value: unknown, findings: Findings): string | undefined {
  if (value === undefined || value === '') findings.reject('idMissing');
  else if (typeof value !== 'string') findings.reject('wrongType', 'id', { expected: 'text' });
  else if (ID.test(value)) return value;
  else findings.reject('configurationId', 'id');
  return undefined;
}

/**
 * The ETag to compare with, bare. Every exported line has one, of whatever hub and time: it counts only in a line that
 * asks for the comparison by its import mode.
 */
function readEtag(value: unknown, mode: unknown, findings: Findings): string | undefined {
  if (mode === undefined) return undefined;
  if (typeof mode !== 'string' || mode.toLowerCase() !== CONFIGURATION_MODE.toLowerCase()) {
    findings.reject('importModeUnknown', 'importMode');
    return undefined;
  }
  if (value !== undefined && typeof value !== 'string') {
    findings.reject('wrongType', 'etag', { expected: 'text' });
    return undefined;
  }
  const etag = value?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1') ?? '';
  if (etag === '') findings.reject('etagMissing', 'etag');
  return etag === '' || etag === '*' ? undefined : etag;
}

function readText(value: unknown, path: string, findings: Findings): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  findings.reject('wrongType', path, { expected: 'text' });
  return undefined;
}

function readPriority(value: unknown, findings: Findings): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_PRIORITY) return value;
  findings.reject('wrongType', 'priority', { expected: `a whole number from 0 to ${MOST_PRIORITY}` });
  return undefined;
}

function readTexts(value: unknown, path: string, findings: Findings): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) {
    return value as Record<string, string>;
  }
  findings.reject('wrongType', path, { expected: 'an object of texts' });
  return undefined;
}

function readQueries(value: unknown, findings: Findings): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) {
    findings.reject('wrongType', 'metrics', { expected: 'an object' });
    return undefined;
  }
  // Results are what the hub has counted, not what one sets.
  const { queries } = fieldsOf(value, 'metrics.', ['queries', 'results'], findings);
  return readTexts(queries, 'metrics.queries', findings);
}

/** The content, of exactly one kind; SDKs write `{}` for the others. */
function readContent(value: unknown, findings: Findings): ConfigurationContent | undefined {
  if (value === undefined) {
    findings.reject('contentMissing', 'content');
    return undefined;
  }
  if (!isObject(value)) {
    findings.reject('wrongType', 'content', { expected: 'an object' });
    return undefined;
  }
  const kinds = Object.entries(fieldsOf(value, 'content.', CONTENT_KINDS, findings)) as [ContentKind, unknown][];
  const used = kinds.filter(([, part]) => !isObject(part) || Object.keys(part).length > 0);
  const [first] = used;
  if (first === undefined) findings.reject('contentMissing', 'content');
  else if (used.length > 1) {
    findings.reject('contentMixed', 'content', { kinds: used.map(([kind]) => kind).join(' and ') });
  } else {
    const [kind, part] = first;
    checkContent(kind, part, findings);
    return { [kind]: part } as ConfigurationContent;
  }
  return undefined;
}

function checkContent(kind: ContentKind, part: unknown, findings: Findings): void {
  const path = `content.${kind}`;
  if (!isObject(part)) {
    findings.reject('wrongType', path, { expected: 'an object' });
    return;
  }
  if (kind !== 'modulesContent') {
    checkDesiredKeys(part, path, findings);
    return;
  }
  if (!Object.hasOwn(part, '$edgeAgent')) findings.reject('edgeAgentMissing', path);
  for (const [module, keys] of Object.entries(part)) {
    const modulePath = `${path}.${displayName(module)}`;
    if (isObject(keys)) checkDesiredKeys(keys, modulePath, findings);
    else findings.reject('wrongType', modulePath, { expected: 'an object' });
  }
}

function checkDesiredKeys(part: Readonly<Record<string, unknown>>, path: string, findings: Findings): void {
  const good = Object.keys(part).every((key) => /^properties\.desired(?:\.|$)/.test(key));
  if (!good) findings.reject('contentKey', path);
}
