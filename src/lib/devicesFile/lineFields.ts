/** The fields of a line, whatever case their keys are written in, and what is to be said of its other keys. */

import type { CheckOptions } from './checkTypes.ts';
import { credentialField, isCredentialName } from './credentialNames.ts';
import { displayHeader, displayName, type Findings } from './findings.ts';
import { type ImportMode, MODE_RULES } from './importMode.ts';
import {
  FORMAT_KEYS,
  type FormatKey,
  isDeeperThan,
  isObject,
  meantKey,
  NESTING_LIMIT,
  saysSomething,
  warnUnknown,
} from './keyNames.ts';
import type { TwinChecker } from './twinRules.ts';

export type LineCheckerOptions = Pick<CheckOptions, 'importMode' | 'mustSay' | 'noMerging'>;

/** What lines are checked by, and where findings go. */
export interface LineRules extends LineCheckerOptions {
  readonly findings: Findings;
  readonly twinChecker: TwinChecker;
}

/** The values of a line by the keys of the format, whatever case they are written in. */
export type Fields = Partial<Record<FormatKey, unknown>>;

/** A line as it is looked at: what it says, and what of it is to be written otherwise. */
export interface Line {
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

const IS_FORMAT_KEY: ReadonlySet<string> = new Set(FORMAT_KEYS);

export function readFields(text: string, parsed: Record<string, unknown>, findings: Findings): Line {
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
      else if (meant === undefined) otherKey(key, findings);
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

function otherKey(key: string, findings: Findings): void {
  const lower = key.toLowerCase();
  if (lower === 'managedby') findings.warn('managedByLost');
  else warnUnknown(key, '', findings, Object.hasOwn(HINTS, lower) ? HINTS[lower] : undefined);
}

/** What says how the device is to authenticate must not be passed over where the device would get other keys. */
export function checkCredentials({ credentials }: Line, mode: ImportMode, findings: Findings): void {
  for (const key of credentials) {
    if (MODE_RULES[mode].writesIdentity) {
      const field = credentialField(key) ?? 'the format has it, such as authentication.symmetricKey.primaryKey';
      findings.reject('credentialName', { field }, displayHeader(key));
    } else {
      otherKey(key, findings);
    }
  }
}

/** Whether something in the line is nested without end. Nothing else looks at such a line: depth costs stack. */
export function rejectDeep(parsed: Record<string, unknown>, findings: Findings): boolean {
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

/** Text, or undefined if it is not there; null and "" are what exports write for a value that is not there. */
export function readText(value: unknown, path: string, findings: Findings): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  findings.reject('wrongType', { expected: 'a string' }, path);
  return undefined;
}
