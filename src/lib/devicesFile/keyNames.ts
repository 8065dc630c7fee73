/** Key names of the format's objects. A hub reads them without regard to case; this project writes them as documented. */

import { isCredentialName } from './credentialNames.ts';
import { displayName, type Findings } from './findings.ts';

/** Keys of a line, in the order of the format (ExportImportDevice). */
export const FORMAT_KEYS = [
  'id',
  'moduleId',
  'eTag',
  'importMode',
  'status',
  'statusReason',
  'authentication',
  'twinETag',
  'tags',
  'properties',
  'capabilities',
  'deviceScope',
  'parentScopes',
] as const;
export type FormatKey = (typeof FORMAT_KEYS)[number];
export const PROPERTY_KEYS = ['desired', 'reported'] as const;

/** How deep a value of a line may be nested in any mode (Json.NET, which a hub reads with, stops at 64). */
export const NESTING_LIMIT = 64;

export interface ReadObject<K extends string> {
  readonly values: Readonly<Partial<Record<K, unknown>>>;
  /** The object with its keys spelled right, if some were not. */
  readonly rewritten: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The values of an object that may have the keys `known`, in any case; others are warned of.
 * Undefined, with a finding, if `value` is no object.
 */
export function readKeys<K extends string>(
  value: unknown,
  path: string,
  known: readonly K[],
  findings: Findings,
): ReadObject<K> | undefined {
  if (!isObject(value)) {
    findings.reject('wrongType', { expected: 'an object' }, path);
    return undefined;
  }
  let renamed = false;
  for (const key in value) {
    if (!(known as readonly string[]).includes(key)) {
      if (meantKey(key, known) !== undefined) renamed = true;
      else if (isLostCredential(key, value[key], path)) {
        findings.reject('credentialName', { field: placeOf(key, path) }, `${path}.${displayName(key)}`);
      } else warnUnknown(key, path, findings);
    }
  }
  if (!renamed) return { values: value as Partial<Record<K, unknown>>, rewritten: undefined };

  const entries = new Map<string, unknown>();
  for (const [key, entry] of Object.entries(value)) {
    const meant = meantKey(key, known);
    const name = meant ?? key;
    if (entries.has(name)) findings.reject('keyTwice', {}, `${path}.${name}`);
    if (meant !== undefined && meant !== key) {
      findings.warn('keyCase', { path: `${path}.${displayName(key)}`, meant: `${path}.${meant}` });
    }
    entries.set(name, entry);
  }
  const rewritten = Object.fromEntries(entries);
  return { values: rewritten as Partial<Record<K, unknown>>, rewritten };
}

/** A key or thumbprint in the right object under a wrong name. */
function isLostCredential(key: string, value: unknown, path: string): boolean {
  if (!path.startsWith('authentication') || !saysSomething(value)) return false;
  return isCredentialName(key) || (path !== 'authentication' && /^(?:primary|secondary|first|second|[12])$/i.test(key));
}

/** Where the format has what stands in `authentication` under another name. */
function placeOf(key: string, path: string): string {
  const which = /second|2/i.test(key) ? 'secondary' : 'primary';
  return /key/i.test(`${path}.${key}`)
    ? `authentication.symmetricKey.${which}Key`
    : `authentication.x509Thumbprint.${which}Thumbprint`;
}

/** The key of `known` that `key` is, but for case. */
export function meantKey<K extends string>(key: string, known: readonly K[]): K | undefined {
  const lower = key.toLowerCase();
  return known.find((name) => name.toLowerCase() === lower);
}

export function warnUnknown(key: string, parent: string, findings: Findings, hint = ''): void {
  const path = parent === '' ? displayName(key) : `${parent}.${displayName(key)}`;
  findings.warn('unknownKey', { path, hint });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], limit - 1)) return true;
  return false;
}

/** Whether a value holds anything: null, "" and false are what exports write for what is not there; `sas` is what all are. */
export function saysSomething(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(saysSomething);
  return typeof value === 'string' ? value !== '' && value.toLowerCase() !== 'sas' : typeof value === 'number';
}
