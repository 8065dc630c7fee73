/**
 * The rules of one line of a devices file (the ExportImportDevice format; IoT Hub docs, "Import and export IoT Hub device
 * identities in bulk"), and the line as it goes to the hub.
 */

import { locateJsonError } from '../textFile/jsonError.ts';
import type { LineBytes } from '../textFile/linePass.ts';
import { checkAuthentication } from './authenticationRules.ts';
import { type CleanLine, createCleanLineReader } from './cleanLine.ts';
import { credentialField, isCredentialName } from './credentialNames.ts';
import { deviceOfScope, namedParent } from './edgeParents.ts';
import {
  characterName,
  createFindings,
  displayHeader,
  displayName,
  type Note,
  noteOf,
  type Problem,
} from './findings.ts';
import { IMPORT_MODES, type ImportMode, MODE_RULES, parseImportMode } from './importMode.ts';
import { ANY_VALUES, createObjectReader } from './jsonBytes.ts';
import {
  FORMAT_KEYS,
  type FormatKey,
  isDeeperThan,
  isObject,
  meantKey,
  NESTING_LIMIT,
  PROPERTY_KEYS,
  readKeys,
  saysSomething,
  warnUnknown,
} from './keyNames.ts';
import {
  additions,
  asText,
  exactSection,
  HUB_KEYS,
  normalise,
  propertiesText,
  withoutHubKeys,
  withoutScopes,
} from './lineText.ts';
import { repeatedKeyIn } from './repeatedKeys.ts';
import { createTwinChecker } from './twinRules.ts';

/** What a line that may meet an existing device does not say; importing it as it stands would reset these. */
export type MissingField = 'authentication' | 'status' | 'statusReason' | 'capabilities';

export interface AcceptedLine {
  /** Line number in the file, from 1; blank lines count. */
  readonly line: number;
  readonly id: string;
  readonly moduleId?: string;
  readonly mode: ImportMode;
  /** The line as it goes to the hub: JSON, no newline. */
  readonly text: string;
  /** Only for the modes that overwrite identities. A missing status is written into `text` as "enabled", a filler. */
  readonly missing: readonly MissingField[];
  /**
   * What a device line that writes an identity says of its parent, which is then not in `text`: a device id; null: it is
   * to have none. Not there: it says nothing, and its device keeps what it has.
   */
  readonly parent?: string | null;
  /** It makes an identity where there is none, and is as an export without keys has it: a certificate would get lost. */
  readonly keyless?: true;
}

export type LineVerdict =
  | { readonly kind: 'accepted'; readonly accepted: AcceptedLine; readonly notes: readonly Note[] }
  | {
      readonly kind: 'rejected';
      readonly problems: readonly [Problem, ...Problem[]];
      /** Where the JSON breaks, from 1. */
      readonly column?: number;
      readonly id?: string;
      readonly moduleId?: string;
    }
  | { readonly kind: 'systemModule'; readonly id: string; readonly moduleId: string };

export interface LineCheckerOptions {
  readonly importMode: ImportMode;
  /** See `CheckOptions`. */
  readonly mustSay?: readonly MissingField[];
  /** See `CheckOptions`. */
  readonly noMerging?: boolean;
}

export interface LineChecker {
  /** @param source the same line as bytes */
  check(text: string, line: number, source: LineBytes): LineVerdict;
}

/** Keys that people write where the format has another, and what to tell them. */
const HINTS: Readonly<Record<string, string>> = {
  deviceid: '; the device id is "id"',
  desired: '; desired properties belong into "properties"',
  reported: '; reported properties belong into "properties"',
  symmetrickey: '; keys belong into "authentication"',
  primarykey: '; keys belong into "authentication"."symmetricKey"',
  secondarykey: '; keys belong into "authentication"."symmetricKey"',
  x509thumbprint: '; thumbprints belong into "authentication"',
  primarythumbprint: '; thumbprints belong into "authentication"."x509Thumbprint"',
  authenticationtype: '; it belongs into "authentication" as "type"',
  iotedge: '; it belongs into "capabilities"',
};

const CAPABILITY_KEYS = ['iotEdge'] as const;

const ID_LIMIT = 128;
const STATUS_REASON_LIMIT = 128;

/** 1 for characters that ids may have, 2 for those that only older hubs took. */
const ID_CHARACTERS = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:.%_*?!(),=@;$'") {
  ID_CHARACTERS[character.charCodeAt(0)] = 1;
}
for (const character of '+#') ID_CHARACTERS[character.charCodeAt(0)] = 2;

const KEYLESS = { keyless: true } as const;
const NOTHING_MISSING: readonly MissingField[] = [];
const NO_NOTES: readonly Note[] = [];
const REPORTED: readonly Note[] = [noteOf('reportedNotWritten')];

export function createLineChecker(options: LineCheckerOptions): LineChecker {
  const findings = createFindings();
  const twinChecker = createTwinChecker(findings);
  const cleanLines = createCleanLineReader(options.importMode);
  const skipAny = createObjectReader(ANY_VALUES);

  /** The id if a hub takes it; else undefined, with a finding. */
  function readId(value: unknown, path: 'id' | 'moduleId' | 'parent'): string | undefined {
    if (typeof value !== 'string') {
      findings.reject('wrongType', { expected: 'a string' }, path);
      return undefined;
    }
    if (value.length === 0) {
      findings.reject('wrongType', { expected: 'a name, not an empty string' }, path);
      return undefined;
    }
    if (value.length > ID_LIMIT) {
      findings.reject('idTooLong', { length: value.length, limit: ID_LIMIT }, path);
      return undefined;
    }
    let unusual = false;
    for (let index = 0; index < value.length; index += 1) {
      const kind = ID_CHARACTERS[value.charCodeAt(index)];
      if (kind === 2) unusual = true;
      else if (kind !== 1) {
        findings.reject('idCharacters', { position: index + 1, character: characterName(value, index) }, path);
        return undefined;
      }
    }
    if (unusual && path === 'id') findings.warn('idPlusOrHash');
    return value;
  }

  function readMode(value: unknown): ImportMode | undefined {
    if (value === undefined || value === null) return options.importMode;
    const mode = typeof value === 'string' ? parseImportMode(value) : undefined;
    if (mode === undefined) findings.reject('importModeUnknown', { modes: IMPORT_MODES.join(', ') }, 'importMode');
    return mode;
  }

  /** Text, or undefined if it is not there; null and "" are what exports write for a value that is not there. */
  function readText(value: unknown, path: string): string | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string') return value;
    findings.reject('wrongType', { expected: 'a string' }, path);
    return undefined;
  }

  function checkTwin(line: Line, mode: ImportMode, lineBytes: number): void {
    const { tags, properties } = line.fields;
    const { writesTwin } = MODE_RULES[mode];
    const nullMeansDelete = MODE_RULES[mode].merges;
    if (nullMeansDelete && options.noMerging === true) findings.reject('cannotMerge', { mode }, 'importMode');
    const section = (name: 'tags' | 'desired', path: string, value: unknown): void => {
      if (value === undefined || value === null) return;
      if (!isObject(value)) {
        findings.reject('wrongType', { expected: 'an object' }, path);
        return;
      }
      const nullAt = twinChecker.check(name, value, lineBytes, () => exactSection(line.text, name));
      if (nullAt !== undefined && !nullMeansDelete) findings.warn('nullInTwin', { path: nullAt, mode });
    };
    const read =
      properties === undefined || properties === null
        ? undefined
        : readKeys(properties, 'properties', PROPERTY_KEYS, findings);
    if (read !== undefined) {
      const { desired, reported } = read.values;
      const dropped = [dropHubKeys(desired), dropHubKeys(reported)].includes(true);
      if (read.rewritten !== undefined || dropped) line.edits.set('properties', propertiesText);
      if (writesTwin) {
        section('desired', 'properties.desired', desired);
        checkReported(reported);
      }
    }
    if (dropHubKeys(tags)) line.edits.set('tags', withoutHubKeys);
    if (writesTwin) section('tags', 'tags', tags);
  }

  function checkReported(reported: unknown): void {
    if (reported === undefined || reported === null) return;
    if (!isObject(reported)) {
      findings.reject('wrongType', { expected: 'an object' }, 'properties.reported');
    } else if (hasKeys(reported)) {
      findings.warn('reportedNotWritten');
    }
  }

  /** Returns whether the status is there. */
  function checkStatus(line: Line): boolean {
    const { status } = line.fields;
    if (status === undefined) return false;
    if (status === null) {
      line.dropped.add('status');
      return false;
    }
    if (status === 'enabled' || status === 'disabled') return true;
    const lower = typeof status === 'string' ? status.toLowerCase() : '';
    // Java SDKs write Enabled; hubs read enums without case.
    if (lower === 'enabled' || lower === 'disabled') line.edits.set('status', asText(lower));
    else findings.reject('statusUnknown', {}, 'status');
    return true;
  }

  function checkStatusReason(value: unknown): boolean {
    const reason = readText(value, 'statusReason');
    if (reason !== undefined && reason.length > STATUS_REASON_LIMIT) {
      findings.reject('statusReasonTooLong', { length: reason.length, limit: STATUS_REASON_LIMIT }, 'statusReason');
    }
    return value !== undefined && value !== null;
  }

  function checkCapabilities(line: Line): boolean {
    const { capabilities } = line.fields;
    if (capabilities === undefined || capabilities === null) return false;
    const read = readKeys(capabilities, 'capabilities', CAPABILITY_KEYS, findings);
    if (read === undefined) return true;
    if (read.rewritten !== undefined) line.edits.set('capabilities', asText(read.rewritten));
    const { iotEdge } = read.values;
    line.isEdge = iotEdge === true;
    if (iotEdge !== undefined && iotEdge !== null && typeof iotEdge !== 'boolean') {
      findings.reject('wrongType', { expected: 'true or false' }, 'capabilities.iotEdge');
    }
    return typeof iotEdge === 'boolean';
  }

  function checkEtags(line: Line, mode: ImportMode): void {
    const etags = { eTag: readEtag(line, 'eTag'), twinETag: readEtag(line, 'twinETag') };
    const { needs } = MODE_RULES[mode];
    if (needs !== undefined && etags[needs.etag] === undefined) {
      findings.reject('etagMissing', { mode, instead: needs.instead }, needs.etag);
    }
  }

  function readEtag(line: Line, key: 'eTag' | 'twinETag'): string | undefined {
    const etag = readText(line.fields[key], key);
    if (etag === undefined || etag.charCodeAt(0) !== 0x22) return etag;
    // Quoted, as HTTP headers have it; a line has it bare (the .NET SDK strips the quotes of its lines too).
    const bare = etag.replace(/^"(.*)"$/s, '$1');
    line.edits.set(key, asText(bare));
    return bare === '' ? undefined : bare;
  }

  function readParentScopes(value: unknown): readonly string[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.every((scope) => typeof scope === 'string')) {
      return value.filter((scope) => scope !== '');
    }
    findings.reject('wrongType', { expected: 'an array of strings' }, 'parentScopes');
    return [];
  }

  /** What the line says of the parent of its device; the scopes that say so are taken out of the line. */
  function checkParent(
    line: Line,
    mode: ImportMode,
    id: string | undefined,
    forModule: boolean,
  ): string | null | undefined {
    const { fields, parentKey, given } = line;
    const scope = readText(fields.deviceScope, 'deviceScope');
    const parentScopes = readParentScopes(fields.parentScopes);
    if (parentKey !== undefined) line.dropped.add(parentKey);
    const { writesIdentity, writesTwin } = MODE_RULES[mode];
    if (!writesIdentity) {
      if (given !== undefined && given !== null && writesTwin) findings.warn('parentNotWritten', { mode });
      return undefined;
    }
    if (forModule) {
      if (given !== undefined && given !== null) findings.reject('parentOfModule', {}, 'parent');
      return undefined;
    }
    const parent = given === undefined || given === null ? given : readId(given, 'parent');
    if (id === undefined || (given !== undefined && parent === undefined)) return undefined;
    const named = namedParent({ id, parent, deviceScope: scope, parentScopes });
    if (named.problem === 'differ') findings.reject('parentsDiffer', {}, named.path);
    if (named.problem === 'itself') findings.reject('parentItself', {}, named.path);
    if (named.problem === 'unreadable') findings.warn('scopeForm', { path: named.path });
    if (named.problem !== undefined) return undefined;
    // An edge device's own scope has to be repeated by an update, and does no harm elsewhere.
    if (scope !== undefined && !(line.isEdge && deviceOfScope(scope) === id)) line.dropped.add('deviceScope');
    if (parentScopes.length > 0) line.dropped.add('parentScopes');
    return named.parent;
  }

  function checkIdentity(line: Line, mode: ImportMode, forModule: boolean): readonly MissingField[] {
    const { writesIdentity, mayOverwrite } = MODE_RULES[mode];
    const hasStatus = checkStatus(line);
    const hasReason = checkStatusReason(line.fields.statusReason);
    const hasCapabilities = checkCapabilities(line);
    if (!writesIdentity) return NOTHING_MISSING;

    const { authentication } = line.fields;
    let lacks: 'keys' | 'thumbprint' | undefined = 'keys';
    if (authentication !== undefined && authentication !== null) {
      const verdict = checkAuthentication(authentication, forModule, findings);
      lacks = verdict.missing;
      if (verdict.rewritten !== undefined) line.edits.set('authentication', asText(verdict.rewritten));
    }
    if (!mayOverwrite) return NOTHING_MISSING;
    if (lacks === undefined && hasStatus && hasReason && hasCapabilities) return NOTHING_MISSING;

    const missing: MissingField[] = [];
    if (lacks !== undefined) missing.push('authentication');
    // A module has none of the others.
    if (!forModule) {
      if (!hasStatus) missing.push('status');
      if (!hasReason) missing.push('statusReason');
      if (!hasCapabilities) missing.push('capabilities');
    }
    const { mustSay } = options;
    if (mustSay === undefined) return missing;
    const unsaid = missing.filter((field) => mustSay.includes(field));
    if (unsaid.length > 0) findings.reject('leavesOut', { fields: unsaid.join(', ') }, unsaid[0]);
    return NOTHING_MISSING;
  }

  function rejected(id?: string, moduleId?: string): LineVerdict {
    const [first, ...others] = findings.problems;
    if (first === undefined) throw new Error('A line is rejected without a reason.');
    return {
      kind: 'rejected',
      problems: [first, ...others],
      ...(id === undefined ? {} : { id }),
      ...(moduleId === undefined ? {} : { moduleId }),
    };
  }

  function badJson(text: string): LineVerdict {
    const error = locateJsonError(text);
    const column = (error?.index ?? 0) + 1;
    findings.reject('badJson', { column, problem: error?.problem ?? 'something is wrong' });
    return { ...rejected(), column } as LineVerdict;
  }

  return {
    check(text, lineNumber, source) {
      const clean = cleanLines.read(source.bytes, source.textStart, source.textEnd);
      const isTaken = clean !== undefined && !(options.noMerging === true && MODE_RULES[clean.mode].merges);
      const taken = isTaken ? acceptClean(text, lineNumber, clean, source) : undefined;
      if (taken !== undefined) return taken;
      findings.clear();
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        return badJson(text);
      }
      if (!isObject(parsed)) {
        findings.reject('notAnObject');
        return rejected();
      }
      if (skipAny(source.bytes, source.textStart) !== source.textEnd) {
        const repeated = repeatedKeyIn(text);
        if (repeated !== undefined) findings.warn('repeatedKey', { path: repeated });
      }
      if (rejectDeep(parsed))
        return rejected(typeof parsed['id'] === 'string' ? readId(parsed['id'], 'id') : undefined);
      const line = readFields(text, parsed);
      const { fields } = line;

      let id: string | undefined;
      if (fields.id === undefined || fields.id === null) {
        const hint = 'deviceId' in parsed ? ' (it has "deviceId")' : '';
        findings.reject('idMissing', { hint }, 'id');
      } else {
        id = readId(fields.id, 'id');
      }
      let moduleId: string | undefined;
      const forModule = fields.moduleId !== undefined && fields.moduleId !== null;
      if (forModule) {
        moduleId = readId(fields.moduleId, 'moduleId');
        if (id !== undefined && moduleId?.startsWith('$')) return { kind: 'systemModule', id, moduleId };
      }

      const mode = readMode(fields.importMode);
      // A line whose mode is not known is looked through as the strictest mode would, so that all is told at once.
      const missing = checkIdentity(line, mode ?? 'create', forModule);
      checkCredentials(line, mode ?? 'create');
      checkTwin(line, mode ?? 'create', source.textEnd - source.textStart);
      if (mode !== undefined) checkEtags(line, mode);
      const parent = checkParent(line, mode ?? 'create', id, forModule);

      if (findings.problems.length > 0 || id === undefined || mode === undefined) return rejected(id, moduleId);
      if (fields.importMode !== undefined && fields.importMode !== mode) line.edits.set('importMode', asText(mode));
      const normalised = normalise(line, mode);
      const more = isKeyless(fields, mode) ? KEYLESS : {};
      const accepted =
        moduleId === undefined
          ? {
              line: lineNumber,
              id,
              mode,
              text: normalised,
              missing,
              ...(parent === undefined ? {} : { parent }),
              ...more,
            }
          : { line: lineNumber, id, moduleId, mode, text: normalised, missing, ...more };
      return { kind: 'accepted', accepted, notes: findings.notes };
    },
  };

  /** Whether something in the line is nested without end. Nothing else looks at such a line: depth costs stack. */
  function rejectDeep(parsed: Record<string, unknown>): boolean {
    let deep = false;
    const look = (value: unknown, path: string): void => {
      if (!isDeeperThan(value, NESTING_LIMIT)) return;
      deep = true;
      findings.reject('nestedTooDeep', { limit: NESTING_LIMIT }, path);
    };
    for (const key in parsed) {
      const value = parsed[key];
      if (typeof value !== 'object' || value === null) continue;
      const name = displayName(key);
      if (key === 'properties' && isObject(value)) {
        for (const inner in value) look(value[inner], `${name}.${displayName(inner)}`);
      } else {
        look(value, name);
      }
    }
    return deep;
  }

  /** What says how the device is to authenticate must not be passed over where the device would get other keys. */
  function checkCredentials({ credentials }: Line, mode: ImportMode): void {
    for (const key of credentials) {
      if (MODE_RULES[mode].writesIdentity) {
        const field = credentialField(key) ?? 'the format has it, such as authentication.symmetricKey.primaryKey';
        findings.reject('credentialName', { field }, displayHeader(key));
      } else {
        otherKey(key);
      }
    }
  }

  /** A line of which nothing is to be told but what is the same for all; undefined if there is something else. */
  function acceptClean(text: string, line: number, clean: CleanLine, source: LineBytes): LineVerdict | undefined {
    const { id, moduleId, mode } = clean;
    const missing = MODE_RULES[mode].mayOverwrite ? missingOf(clean) : NOTHING_MISSING;
    if (options.mustSay !== undefined && missing.length > 0) return undefined;
    const notes = clean.hasReported && MODE_RULES[mode].writesTwin ? REPORTED : NO_NOTES;
    if (clean.deviceScope !== undefined || clean.parentScope !== undefined) {
      return acceptScoped(text, line, clean, source, missing, notes);
    }
    const added = additions(mode, clean.namesMode, clean.hasStatus);
    const whole = added === '' ? text : `{${added}${text.slice(1)}`;
    const accepted: AcceptedLine =
      moduleId === undefined
        ? { line, id, mode, text: whole, missing }
        : { line, id, moduleId, mode, text: whole, missing };
    return {
      kind: 'accepted',
      accepted: clean.lacksKeys && MODE_RULES[mode].mayCreate ? { ...accepted, ...KEYLESS } : accepted,
      notes,
    };
  }

  /** A clean line of a device that has a parent or is one. */
  function acceptScoped(
    text: string,
    line: number,
    clean: CleanLine,
    source: LineBytes,
    missing: readonly MissingField[],
    notes: readonly Note[],
  ): LineVerdict | undefined {
    const { id, moduleId, mode, namesMode, hasStatus, isEdge, deviceScope, parentScope } = clean;
    if (moduleId !== undefined || clean.lacksKeys) return undefined;
    findings.clear();
    const scopes: Line = {
      text,
      fields: { deviceScope, parentScopes: parentScope === undefined ? [] : [parentScope] },
      renames: undefined,
      edits: new Map(),
      parentKey: undefined,
      given: undefined,
      dropped: new Set(),
      credentials: [],
      isEdge,
    };
    const parent = checkParent(scopes, mode, id, false);
    if (findings.problems.length > 0 || findings.notes.length > 0) return undefined;
    const added = additions(mode, namesMode, hasStatus);
    const { dropped } = scopes;
    const left = dropped.size === 0 ? text : withoutScopes(clean, dropped, source);
    const whole = added === '' ? left : `{${added}${left.slice(1)}`;
    const accepted = { line, id, mode, text: whole, missing, ...(parent === undefined ? {} : { parent }) };
    return { kind: 'accepted', accepted, notes };
  }

  function readFields(text: string, parsed: Record<string, unknown>): Line {
    const fields: Fields = {};
    const credentials: string[] = [];
    let renames: Map<string, FormatKey> | undefined;
    let parentKey: string | undefined;
    for (const key in parsed) {
      if (IS_FORMAT_KEY.has(key)) {
        fields[key as FormatKey] = parsed[key];
      } else {
        const meant = meantKey(key, FORMAT_KEYS);
        if (key.toLowerCase() === 'parent') {
          if (parentKey !== undefined) findings.reject('keyTwice', {}, 'parent');
          if (key !== 'parent') findings.warn('keyCase', { path: key, meant: 'parent' });
          parentKey = key;
        } else if (meant === undefined && isCredentialName(key) && saysSomething(parsed[key])) credentials.push(key);
        else if (meant === undefined) otherKey(key);
        else renames = (renames ?? new Map<string, FormatKey>()).set(key, meant);
      }
    }
    for (const [key, meant] of renames ?? []) {
      if (fields[meant] !== undefined) findings.reject('keyTwice', {}, meant);
      findings.warn('keyCase', { path: key, meant });
      fields[meant] = parsed[key];
    }
    const given = parentKey === undefined ? undefined : parsed[parentKey];
    return {
      text,
      fields,
      renames,
      edits: new Map(),
      parentKey,
      given,
      dropped: new Set(),
      credentials,
      isEdge: false,
    };
  }

  function otherKey(key: string): void {
    const lower = key.toLowerCase();
    if (lower === 'managedby') findings.warn('managedByLost');
    else warnUnknown(key, '', findings, Object.hasOwn(HINTS, lower) ? HINTS[lower] : undefined);
  }
}

type Fields = Partial<Record<FormatKey, unknown>>;

interface Line {
  readonly text: string;
  readonly fields: Fields;
  /** Keys that are written in another case. */
  readonly renames: ReadonlyMap<string, FormatKey> | undefined;
  /** What to write instead of a value of the line, both as text. */
  readonly edits: Map<FormatKey, (written: string) => string>;
  /** The key `parent` as it is written, if it is there, and its value. */
  readonly parentKey: string | undefined;
  readonly given: unknown;
  /** Keys that the hub is not given. */
  readonly dropped: Set<string>;
  /** Keys that are none of the format and look like credentials. */
  readonly credentials: readonly string[];
  isEdge: boolean;
}

const IS_FORMAT_KEY: ReadonlySet<string> = new Set(FORMAT_KEYS);

/** What a clean line that may overwrite an identity does not say. */
function missingOf(clean: CleanLine): readonly MissingField[] {
  const ofDevice = clean.moduleId === undefined;
  const lacksStatus = ofDevice && !clean.hasStatus;
  const lacksReason = ofDevice && clean.lacksReason;
  const lacksCapabilities = ofDevice && clean.lacksCapabilities;
  if (!clean.lacksAuthentication && !lacksStatus && !lacksReason && !lacksCapabilities) return NOTHING_MISSING;
  const missing: MissingField[] = [];
  if (clean.lacksAuthentication) missing.push('authentication');
  if (lacksStatus) missing.push('status');
  if (lacksReason) missing.push('statusReason');
  if (lacksCapabilities) missing.push('capabilities');
  return missing;
}

/** Removes what a hub adds; says whether there was any. */
function dropHubKeys(section: unknown): boolean {
  if (!isObject(section)) return false;
  let dropped = false;
  for (const key of HUB_KEYS) {
    if (Object.hasOwn(section, key)) {
      delete section[key];
      dropped = true;
    }
  }
  return dropped;
}

function hasKeys(value: object): boolean {
  for (const _ in value) return true;
  return false;
}

/** Exports give every line an ETag; a line that somebody wrote may say `null` and mean new keys. */
function isKeyless({ authentication, eTag }: Fields, mode: ImportMode): boolean {
  return authentication === null && typeof eTag === 'string' && eTag !== '' && MODE_RULES[mode].mayCreate;
}
