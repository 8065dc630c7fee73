/** A line as text on its way to the hub: what is not changed stays as it is written. */

import { isObjectText, memberMap, objectText } from '../textFile/jsonMembers.ts';
import type { LineBytes } from '../textFile/linePass.ts';
import type { CleanLine, Span } from './cleanLine.ts';
import { parseExactly } from './exactNumbers.ts';
import { DEFAULT_IMPORT_MODE, type ImportMode } from './importMode.ts';
import { FORMAT_KEYS, type FormatKey, isObject, meantKey, PROPERTY_KEYS } from './keyNames.ts';
import type { Line } from './lineFields.ts';

/** What a hub adds to the sections of its twins. */
export const HUB_KEYS: readonly string[] = ['$metadata', '$version'];

/**
 * The line for the hub: as it came wherever possible, and else put together of what is written in it, so that numbers and
 * the order of keys stay as they are.
 */
export function normalise({ text, fields, renames, edits, dropped }: Line, mode: ImportMode): string {
  const hasStatus = fields.status !== undefined && fields.status !== null;
  const added = additions(mode, fields.importMode !== undefined, hasStatus);
  if (edits.size === 0 && renames === undefined && dropped.size === 0) {
    return added === '' ? text : `{${added}${text.slice(1)}`;
  }
  const members: [string, string][] = [];
  for (const [key, written] of memberMap(text)) {
    const name = renames?.get(key) ?? key;
    if (!dropped.has(name)) members.push([name, edits.get(name as FormatKey)?.(written) ?? written]);
  }
  return `{${added}${objectText(members).slice(1)}`;
}

export function asText(value: unknown): () => string {
  return () => JSON.stringify(value);
}

/** A section of a twin without what a hub adds to it. */
export function withoutHubKeys(written: string): string {
  // Nearly all have none; an escape may hide one.
  if (!isObjectText(written) || !/[$\\]/.test(written)) return written;
  const members = memberMap(written);
  const had = HUB_KEYS.map((key) => members.delete(key));
  return had.includes(true) ? objectText(members) : written;
}

/** `properties` with its keys spelled right. */
export function propertiesText(written: string): string {
  const members = Array.from(memberMap(written), ([key, value]): [string, string] => {
    const meant = meantKey(key, PROPERTY_KEYS);
    return meant === undefined ? [key, value] : [meant, withoutHubKeys(value)];
  });
  return objectText(members);
}

/** A section of the twin of a line, with its large numbers as they are written. */
export function exactSection(text: string, section: 'tags' | 'desired'): unknown {
  const member = (from: unknown, name: string, known: readonly string[]): unknown => {
    if (!isObject(from)) return undefined;
    const key = Object.hasOwn(from, name) ? name : Object.keys(from).find((each) => meantKey(each, known) === name);
    return key === undefined ? undefined : from[key];
  };
  const line = parseExactly(text);
  if (section === 'tags') return member(line, 'tags', FORMAT_KEYS);
  return member(member(line, 'properties', FORMAT_KEYS), 'desired', PROPERTY_KEYS);
}

/**
 * The status of a line that has none: a hub demands one in every line, even where it has no effect. The tab tells it from
 * a status that somebody wrote.
 */
const FILLER = '\t"status":"enabled",';

/** A row as it was read: without the members that it lacked, which come before its `id`. */
export function withoutAdditions(row: string): string {
  return withoutFiller(row).replace(/^\{"importMode":"[A-Za-z]+",(?="id":)/, '{');
}

/** A line as it may be dropped again: without a status that it did not have, which would be taken for a wish then. */
export function withoutFiller(line: string): string {
  return line.replace(/^(\{(?:"importMode":"[A-Za-z]+",)?)\t"status":"enabled",/, '$1');
}

/** Members that a line lacks and a hub needs. */
export function additions(mode: ImportMode, namesMode: boolean, hasStatus: boolean): string {
  let added = '';
  if (!namesMode && mode !== DEFAULT_IMPORT_MODE) added = `"importMode":"${mode}",`;
  return hasStatus ? added : added + FILLER;
}

/** The text without the scopes that the hub is not given. */
export function withoutScopes(clean: CleanLine, dropped: ReadonlySet<string>, source: LineBytes): string {
  const spans: Span[] = [];
  if (dropped.has('deviceScope')) spans.push(clean.deviceScopeAt);
  if (dropped.has('parentScopes')) spans.push(clean.parentScopesAt);
  let text = '';
  let from = source.textStart;
  for (const { start, end } of spans.sort((a, b) => a.start - b.start)) {
    text += source.bytes.toString('utf8', from, start);
    from = end;
  }
  return text + source.bytes.toString('utf8', from, source.textEnd);
}
