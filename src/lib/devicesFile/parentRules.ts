/** The rules of a line about the parent of its device. */

import { deviceOfScope, namedParent } from './edgeParents.ts';
import type { Findings } from './findings.ts';
import { readId } from './identityRules.ts';
import { type ImportMode, MODE_RULES } from './importMode.ts';
import { type Line, readText } from './lineFields.ts';

/** What the line says of the parent of its device; the scopes that say so are taken out of the line. */
export function checkParent(
  line: Line,
  mode: ImportMode,
  id: string | undefined,
  forModule: boolean,
  findings: Findings,
): string | null | undefined {
  const { fields, parentKey, given } = line;
  const scope = readText(fields.deviceScope, 'deviceScope', findings);
  const parentScopes = readParentScopes(fields.parentScopes, findings);
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
  const parent = given === undefined || given === null ? given : readId(given, 'parent', findings);
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

function readParentScopes(value: unknown, findings: Findings): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((scope) => typeof scope === 'string')) {
    return value.filter((scope) => scope !== '');
  }
  findings.reject('wrongType', { expected: 'an array of strings' }, 'parentScopes');
  return [];
}
