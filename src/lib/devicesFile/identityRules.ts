/** The rules of a line about an identity: its ids, its mode, and what it says of status, capabilities and credentials. */

import { checkAuthentication } from './authenticationRules.ts';
import { characterName, type Findings } from './findings.ts';
import { IMPORT_MODES, type ImportMode, MODE_RULES, parseImportMode } from './importMode.ts';
import { readKeys } from './keyNames.ts';
import { type Line, type LineRules, readText } from './lineFields.ts';
import { asText } from './lineText.ts';
import type { MissingField } from './lineVerdict.ts';

const CAPABILITY_KEYS = ['iotEdge'] as const;
const STATUS_REASON_LIMIT = 128;
const ID_LIMIT = 128;

/** What ids may not have. Of what they may, only older hubs took "+" and "#". */
const NOT_IN_ID = /[^A-Za-z0-9:.%_*?!(),=@;$'+#-]/;

export const NOTHING_MISSING: readonly MissingField[] = [];

/** The id if a hub takes it; else undefined, with a finding. */
export function readId(value: unknown, path: 'id' | 'moduleId' | 'parent', findings: Findings): string | undefined {
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
  const at = value.search(NOT_IN_ID);
  if (at >= 0) {
    findings.reject('idCharacters', { position: at + 1, character: characterName(value, at) }, path);
    return undefined;
  }
  if (path === 'id' && /[+#]/.test(value)) findings.warn('idPlusOrHash');
  return value;
}

export function readMode(value: unknown, { importMode, findings }: LineRules): ImportMode | undefined {
  if (value === undefined || value === null) return importMode;
  const mode = typeof value === 'string' ? parseImportMode(value) : undefined;
  if (mode === undefined) findings.reject('importModeUnknown', { modes: IMPORT_MODES.join(', ') }, 'importMode');
  return mode;
}

/** Returns what a line that may overwrite an identity does not say of it. */
export function checkIdentity(
  line: Line,
  mode: ImportMode,
  forModule: boolean,
  { mustSay, findings }: LineRules,
): readonly MissingField[] {
  const { writesIdentity, mayOverwrite } = MODE_RULES[mode];
  const hasStatus = checkStatus(line, findings);
  const hasReason = checkStatusReason(line.fields.statusReason, findings);
  const hasCapabilities = checkCapabilities(line, findings);
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
  if (mustSay === undefined) return missing;
  const unsaid = missing.filter((field) => mustSay.includes(field));
  if (unsaid.length > 0) findings.reject('leavesOut', { fields: unsaid.join(', ') }, unsaid[0]);
  return NOTHING_MISSING;
}

/** Returns whether the status is there. */
function checkStatus(line: Line, findings: Findings): boolean {
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

/** Returns whether the reason is there. */
function checkStatusReason(value: unknown, findings: Findings): boolean {
  const reason = readText(value, 'statusReason', findings);
  if (reason !== undefined && reason.length > STATUS_REASON_LIMIT) {
    findings.reject('statusReasonTooLong', { length: reason.length, limit: STATUS_REASON_LIMIT }, 'statusReason');
  }
  return value !== undefined && value !== null;
}

/** Returns whether it says if the device is an edge device. */
function checkCapabilities(line: Line, findings: Findings): boolean {
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

export function checkEtags(line: Line, mode: ImportMode, findings: Findings): void {
  const etags = { eTag: readEtag(line, 'eTag', findings), twinETag: readEtag(line, 'twinETag', findings) };
  const { needs } = MODE_RULES[mode];
  if (needs !== undefined && etags[needs.etag] === undefined) {
    findings.reject('etagMissing', { mode, instead: needs.instead }, needs.etag);
  }
}

function readEtag(line: Line, key: 'eTag' | 'twinETag', findings: Findings): string | undefined {
  const etag = readText(line.fields[key], key, findings);
  if (etag === undefined || etag.charCodeAt(0) !== 0x22) return etag;
  // Quoted, as HTTP headers have it; a line has it bare (the .NET SDK strips the quotes of its lines too).
  const bare = etag.replace(/^"(.*)"$/s, '$1');
  line.edits.set(key, asText(bare));
  return bare === '' ? undefined : bare;
}
