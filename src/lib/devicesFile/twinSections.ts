/** The sections of a twin in a line: whether its mode may write them, and what is left of them. */

import type { Findings } from './findings.ts';
import { type ImportMode, MODE_RULES } from './importMode.ts';
import { isObject, PROPERTY_KEYS, readKeys } from './keyNames.ts';
import type { Line, LineRules } from './lineFields.ts';
import { exactSection, HUB_KEYS, propertiesText, withoutHubKeys } from './lineText.ts';

export function checkTwin(
  line: Line,
  mode: ImportMode,
  lineBytes: number,
  { findings, twinChecker, noMerging }: LineRules,
): void {
  const { tags, properties } = line.fields;
  const { writesTwin } = MODE_RULES[mode];
  const nullMeansDelete = MODE_RULES[mode].merges;
  if (nullMeansDelete && noMerging === true) findings.reject('cannotMerge', { mode }, 'importMode');
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
      checkReported(reported, findings);
    }
  }
  if (dropHubKeys(tags)) line.edits.set('tags', withoutHubKeys);
  if (writesTwin) section('tags', 'tags', tags);
}

function checkReported(reported: unknown, findings: Findings): void {
  if (reported === undefined || reported === null) return;
  if (!isObject(reported)) {
    findings.reject('wrongType', { expected: 'an object' }, 'properties.reported');
  } else if (hasKeys(reported)) {
    findings.warn('reportedNotWritten');
  }
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
