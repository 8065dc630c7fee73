/**
 * The rules of one line of a devices file (the ExportImportDevice format; IoT Hub docs, "Import and export IoT Hub device
 * identities in bulk"), and the line as it goes to the hub.
 */

import { explainJsonError } from '../textFile/jsonError.ts';
import type { LineBytes } from '../textFile/linePass.ts';
import { acceptClean, KEYLESS } from './acceptClean.ts';
import { createCleanLineReader } from './cleanLine.ts';
import { createFindings, type Findings } from './findings.ts';
import { checkEtags, checkIdentity, readId, readMode } from './identityRules.ts';
import { type ImportMode, MODE_RULES } from './importMode.ts';
import { ANY_VALUES, createObjectReader } from './jsonBytes.ts';
import { isObject } from './keyNames.ts';
import {
  checkCredentials,
  type Fields,
  type LineCheckerOptions,
  type LineRules,
  readFields,
  rejectDeep,
} from './lineFields.ts';
import { asText, normalise } from './lineText.ts';
import type { LineVerdict } from './lineVerdict.ts';
import { checkParent } from './parentRules.ts';
import { repeatedKeyIn } from './repeatedKeys.ts';
import { createTwinChecker } from './twinRules.ts';
import { checkTwin } from './twinSections.ts';

export interface LineChecker {
  /** @param source the same line as bytes */
  check(text: string, line: number, source: LineBytes): LineVerdict;
}

export function createLineChecker(options: LineCheckerOptions): LineChecker {
  const findings = createFindings();
  const rules: LineRules = { ...options, findings, twinChecker: createTwinChecker(findings) };
  const cleanLines = createCleanLineReader(options.importMode);
  const skipAny = createObjectReader(ANY_VALUES);
  return {
    check(text, line, source) {
      const clean = cleanLines.read(source.bytes, source.textStart, source.textEnd);
      const isTaken = clean !== undefined && !(options.noMerging === true && MODE_RULES[clean.mode].merges);
      const taken = isTaken ? acceptClean(text, line, clean, source, rules) : undefined;
      if (taken !== undefined) return taken;
      findings.clear();
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        return badJson(text, findings);
      }
      if (!isObject(parsed)) {
        findings.reject('notAnObject');
        return rejected(findings);
      }
      if (skipAny(source.bytes, source.textStart) !== source.textEnd) {
        const repeated = repeatedKeyIn(text);
        if (repeated !== undefined) findings.warn('repeatedKey', { path: repeated });
      }
      return checkParsed(text, line, parsed, source.textEnd - source.textStart, rules);
    },
  };
}

function checkParsed(
  text: string,
  lineNumber: number,
  parsed: Record<string, unknown>,
  lineBytes: number,
  rules: LineRules,
): LineVerdict {
  const { findings } = rules;
  if (rejectDeep(parsed, findings)) {
    return rejected(findings, typeof parsed['id'] === 'string' ? readId(parsed['id'], 'id', findings) : undefined);
  }
  const line = readFields(text, parsed, findings);
  const { fields } = line;
  const id = readDeviceId(fields.id, parsed, findings);
  let moduleId: string | undefined;
  const forModule = fields.moduleId !== undefined && fields.moduleId !== null;
  if (forModule) {
    moduleId = readId(fields.moduleId, 'moduleId', findings);
    if (id !== undefined && moduleId?.startsWith('$')) return { kind: 'systemModule', id, moduleId };
  }

  const mode = readMode(fields.importMode, rules);
  // A line whose mode is not known is looked through as the strictest mode would, so that all is told at once.
  const missing = checkIdentity(line, mode ?? 'create', forModule, rules);
  checkCredentials(line, mode ?? 'create', findings);
  checkTwin(line, mode ?? 'create', lineBytes, rules);
  if (mode !== undefined) checkEtags(line, mode, findings);
  const parent = checkParent(line, mode ?? 'create', id, forModule, findings);

  if (findings.problems.length > 0 || id === undefined || mode === undefined) return rejected(findings, id, moduleId);
  if (fields.importMode !== undefined && fields.importMode !== mode) line.edits.set('importMode', asText(mode));
  const said = { mode, text: normalise(line, mode), missing };
  const more = isKeyless(fields, mode) ? KEYLESS : {};
  const accepted =
    moduleId === undefined
      ? { line: lineNumber, id, ...said, ...(parent === undefined ? {} : { parent }), ...more }
      : { line: lineNumber, id, moduleId, ...said, ...more };
  return { kind: 'accepted', accepted, notes: findings.notes };
}

function readDeviceId(id: unknown, parsed: Record<string, unknown>, findings: Findings): string | undefined {
  if (id !== undefined && id !== null) return readId(id, 'id', findings);
  findings.reject('idMissing', { hint: 'deviceId' in parsed ? ' (it has "deviceId")' : '' }, 'id');
  return undefined;
}

function rejected(findings: Findings, id?: string, moduleId?: string): LineVerdict {
  const [first, ...others] = findings.problems;
  if (first === undefined) throw new Error('A line is rejected without a reason.');
  return {
    kind: 'rejected',
    problems: [first, ...others],
    ...(id === undefined ? {} : { id }),
    ...(moduleId === undefined ? {} : { moduleId }),
  };
}

function badJson(text: string, findings: Findings): LineVerdict {
  const { column, problem } = explainJsonError(text);
  findings.reject('badJson', { column, problem });
  return { ...rejected(findings), column } as LineVerdict;
}

/** Exports give every line an ETag; a line that somebody wrote may say `null` and mean new keys. */
function isKeyless({ authentication, eTag }: Fields, mode: ImportMode): boolean {
  return authentication === null && typeof eTag === 'string' && eTag !== '' && MODE_RULES[mode].mayCreate;
}
