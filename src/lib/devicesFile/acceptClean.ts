/** The verdict on a clean line, of which nothing is to be told but what is the same for all. */

import type { LineBytes } from '../textFile/linePass.ts';
import type { CleanLine } from './cleanLine.ts';
import { type Findings, type Note, noteOf } from './findings.ts';
import { NOTHING_MISSING } from './identityRules.ts';
import { MODE_RULES } from './importMode.ts';
import type { Line, LineRules } from './lineFields.ts';
import { additions, withoutScopes } from './lineText.ts';
import type { AcceptedLine, LineVerdict, MissingField } from './lineVerdict.ts';
import { checkParent } from './parentRules.ts';

export const KEYLESS = { keyless: true } as const;
const NO_NOTES: readonly Note[] = [];
const REPORTED: readonly Note[] = [noteOf('reportedNotWritten')];

/** A line of which nothing is to be told but what is the same for all; undefined if there is something else. */
export function acceptClean(
  text: string,
  line: number,
  clean: CleanLine,
  source: LineBytes,
  { mustSay, findings }: LineRules,
): LineVerdict | undefined {
  const { id, moduleId, mode } = clean;
  const missing = MODE_RULES[mode].mayOverwrite ? missingOf(clean) : NOTHING_MISSING;
  if (mustSay !== undefined && missing.length > 0) return undefined;
  const notes = clean.hasReported && MODE_RULES[mode].writesTwin ? REPORTED : NO_NOTES;
  if (clean.deviceScope !== undefined || clean.parentScope !== undefined) {
    return acceptScoped(text, line, clean, source, { missing, notes }, findings);
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
  { missing, notes }: { readonly missing: readonly MissingField[]; readonly notes: readonly Note[] },
  findings: Findings,
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
  const parent = checkParent(scopes, mode, id, false, findings);
  if (findings.problems.length > 0 || findings.notes.length > 0) return undefined;
  const added = additions(mode, namesMode, hasStatus);
  const { dropped } = scopes;
  const left = dropped.size === 0 ? text : withoutScopes(clean, dropped, source);
  const whole = added === '' ? left : `{${added}${left.slice(1)}`;
  const accepted = { line, id, mode, text: whole, missing, ...(parent === undefined ? {} : { parent }) };
  return { kind: 'accepted', accepted, notes };
}

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
