/**
 * A digest of what is compared of a line, whatever the order of its keys: two lines of an identity with the same digest are
 * the same, and need not be parsed again side by side. Two that differ have the same one by chance once in 10^19 pairs; the
 * multipliers are drawn anew for each comparison, so that nobody can prepare such a pair.
 */

import { getRandomValues } from 'node:crypto';

import { NESTING_LIMIT } from '../devicesFile/keyNames.ts';
import { HUB_KEYS } from '../devicesFile/lineText.ts';
import type { ComparedLine } from './comparedLine.ts';
import { type Fields, isObject } from './differences.ts';
import { WrittenNumber } from './exactJson.ts';

/** What stands before a text, so that a text, a number and a name with the same characters are not the same. */
const TEXT = 0x10001;
const NUMBER = 0x20001;
const WORD = 0x30001;
const MEMBER = 0x40001;
const ITEM = 0x50001;

const HUB_MADE: ReadonlySet<string> = new Set(HUB_KEYS);

/** Where in a line something stands, as two hashes. */
interface Place {
  readonly a: number;
  readonly b: number;
}

export class LineDigest {
  private readonly byA: number;
  private readonly byB: number;
  private readonly top: Place;
  /** Of the names of members, which come again in every line. */
  private readonly places: ReadonlyMap<string, Place>;
  /** The sum of what stands in a line: the order does not count. */
  private sumA = 0;
  private sumB = 0;
  private isTooDeep = false;

  constructor(drawn = getRandomValues(new Uint32Array(4))) {
    this.byA = (drawn[0] ?? 0) | 1;
    this.byB = (drawn[1] ?? 0) | 1;
    this.top = { a: drawn[2] ?? 0, b: drawn[3] ?? 0 };
    this.places = new Map(FIELDS.map((name) => [name, this.placeOf(this.top, MEMBER, name)]));
  }

  /** @returns '' for a line that is nested without end */
  of(line: ComparedLine): string {
    this.sumA = 0;
    this.sumB = 0;
    this.isTooDeep = false;
    this.addAt('isModule', line.isModule);
    this.addAt('status', line.status);
    this.addAt('statusReason', line.statusReason);
    this.addAt('type', line.authentication?.type);
    this.addAt('secrets', line.authentication?.secrets);
    this.addSection('tags', line.tags);
    this.addSection('desired', line.desired);
    this.addSection('capabilities', line.capabilities);
    if (line.parent !== '') this.addAt('parent', line.parent);
    this.addAt('managedBy', line.managedBy);
    if (line.others !== undefined) this.addSection('others', line.others);
    return this.isTooDeep ? '' : `${(this.sumA >>> 0).toString(36)}.${(this.sumB >>> 0).toString(36)}`;
  }

  private addAt(name: (typeof FIELDS)[number], value: unknown): void {
    if (value !== undefined) this.add(this.places.get(name) ?? this.top, value, true, 0);
  }

  /** Members of it that are null are not there, and neither is what a hub adds. */
  private addSection(name: (typeof FIELDS)[number], section: unknown): void {
    const place = this.places.get(name) ?? this.top;
    if (isObject(section)) this.addMembers(place, section, false, 0, HUB_MADE);
    else this.add(place, section, true, 0);
  }

  /** @param isWhole whether null is something, as in arrays */
  private add(place: Place, value: unknown, isWhole: boolean, depth: number): void {
    if (typeof value === 'string') this.addText(place, TEXT, value);
    else if (typeof value === 'number') this.addText(place, NUMBER, String(value));
    else if (typeof value !== 'object' || value === null) this.addText(place, WORD, String(value));
    else if (value instanceof WrittenNumber) this.addText(place, NUMBER, value.value);
    else if (depth > NESTING_LIMIT) this.isTooDeep = true;
    else if (Array.isArray(value)) {
      this.addText(place, WORD, `[${value.length}]`);
      value.forEach((item, index) => {
        this.add(this.placeOf(place, ITEM, String(index)), item, true, depth + 1);
      });
    } else this.addMembers(place, value as Fields, isWhole, depth);
  }

  private addMembers(place: Place, fields: Fields, isWhole: boolean, depth: number, skips?: ReadonlySet<string>): void {
    let isEmpty = depth > 0 || isWhole;
    for (const key in fields) {
      isEmpty = false;
      const value = fields[key];
      if ((value === null && !isWhole) || skips?.has(key) === true) continue;
      this.add(this.placeOf(place, MEMBER, key), value, isWhole, depth + 1);
    }
    if (isEmpty) this.addText(place, WORD, '{}');
  }

  private placeOf(place: Place, kind: number, name: string): Place {
    return { a: hashOf(name, place.a ^ kind, this.byA, 15), b: hashOf(name, place.b ^ kind, this.byB, 13) };
  }

  private addText(place: Place, kind: number, text: string): void {
    this.sumA = (this.sumA + hashOf(text, place.a ^ kind, this.byA, 15)) | 0;
    this.sumB = (this.sumB + hashOf(text, place.b ^ kind, this.byB, 13)) | 0;
  }
}

const FIELDS = [
  'isModule',
  'status',
  'statusReason',
  'type',
  'secrets',
  'tags',
  'desired',
  'capabilities',
  'parent',
  'managedBy',
  'others',
] as const;

/** Multiply and xor, finished by avalanche mixing as in MurmurHash3. */
function hashOf(text: string, seed: number, by: number, shift: number): number {
  let hash = seed;
  const { length } = text;
  for (let index = 0; index < length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), by);
    hash ^= hash >>> shift;
  }
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
