/**
 * A registry of a hub as far as the mirror sees it: operations change it, events tell of them, readings show it. Events of
 * one device stand in one partition, and times of operations may be equal.
 */

import { isDeepStrictEqual } from 'node:util';
import type { FoundIdentity, Reading } from '../../src/lib/mirror/rows/mergeReading.ts';

import type { MirrorEvent } from '../../src/lib/mirror/rows/mirrorEvent.ts';
import { clockTime } from '../../src/lib/mirror/rows/operationTime.ts';
import {
  type IdentityKey,
  keyText,
  type MirroredIdentity,
  type MirroredTwin,
  type TwinSections,
} from '../../src/lib/mirror/rows/row.ts';
import { patchedSections } from '../../src/lib/mirror/rows/twinSections.ts';

export interface ModelIdentity {
  readonly identity: MirroredIdentity;
  readonly twin: MirroredTwin;
  /** Which life of this id it is. */
  readonly life: number;
}

interface Version {
  readonly step: number;
  readonly atMs: number;
  readonly state: ModelIdentity | undefined;
}

export interface RegistryModel {
  /** Every event there ever was, in the order in which they were enqueued. */
  readonly events: readonly MirrorEvent[];
  /** Its clock, in milliseconds. */
  nowMs(): number;
  pass(ms: number): void;
  create(key: IdentityKey, sections?: Partial<TwinSections>): void;
  /** With its modules; of those there are no events. */
  remove(key: IdentityKey): void;
  patch(key: IdentityKey, patch: Partial<TwinSections>): void;
  replace(key: IdentityKey, sections: Partial<TwinSections>): void;
  /** What no event tells. */
  setIdentity(key: IdentityKey, identity: MirroredIdentity): void;
  /** What a GET says. */
  get(key: IdentityKey): Reading;
  /** What a query says that is some steps late: what is deleted is still there. */
  query(key: IdentityKey, lagSteps: number): Reading;
  /** Whether the identity was so, at any time of its present life. */
  everWas(key: IdentityKey, identity: MirroredIdentity): boolean;
  modules(deviceId: string): readonly string[];
  keys(): readonly IdentityKey[];
  isThere(key: IdentityKey): boolean;
}

const EPOCH = Date.parse('2026-11-20T10:00:00.000Z');
/** Of a new twin, as hubs count them. */
const FIRST_VERSION = 2;
/** Queries list what is deleted for about half an hour. */
const LISTED_MS = 30 * 60_000;
const NEW: MirroredIdentity = { status: 'enabled', edge: false, authenticationType: 'sas' };

export function createRegistryModel({ hub = 'default', partitions = 4 } = {}): RegistryModel {
  const events: MirrorEvent[] = [];
  const sequences = new Map<number, number>();
  const known = new Map<string, { readonly key: IdentityKey; lives: number; readonly versions: Version[] }>();
  let nowMs = EPOCH;
  let step = 0;

  const entry = (key: IdentityKey) => {
    const text = keyText(key);
    const found = known.get(text) ?? { key, lives: 0, versions: [] };
    known.set(text, found);
    return found;
  };
  const stateOf = (key: IdentityKey) => entry(key).versions.at(-1)?.state;
  const demand = (key: IdentityKey): ModelIdentity => {
    const state = stateOf(key);
    if (state === undefined) throw new Error(`${keyText(key)} is not there.`);
    return state;
  };
  const note = (key: IdentityKey, state: ModelIdentity | undefined) => {
    entry(key).versions.push({ step: ++step, atMs: nowMs, state });
  };
  const place = (deviceId: string) => {
    const partition = hash(deviceId) % partitions;
    const sequence = sequences.get(partition) ?? 0;
    sequences.set(partition, sequence + 1);
    const enqueuedAt = new Date(nowMs).toISOString();
    return {
      source: 'MIRROR_EVENTS',
      partition: String(partition),
      sequence,
      offset: String(sequence * 400),
      enqueuedAt,
    };
  };
  const base = (key: IdentityKey) => ({
    hub,
    ...key,
    at: clockTime(new Date(nowMs).toISOString()),
    place: place(key.deviceId),
  });
  const modules = (deviceId: string) =>
    [...known.values()].flatMap(({ key, versions }) =>
      key.deviceId === deviceId && key.moduleId !== undefined && versions.at(-1)?.state !== undefined
        ? [key.moduleId]
        : [],
    );

  return {
    events,
    nowMs: () => nowMs,
    pass: (ms) => {
      nowMs += ms;
    },
    create(key, sections = {}) {
      const own = entry(key);
      own.lives += 1;
      const twin = { tags: {}, desired: {}, reported: {}, ...sections, version: FIRST_VERSION };
      note(key, { identity: NEW, twin, life: own.lives });
      events.push({ ...base(key), kind: 'created', twin });
    },
    remove(key) {
      demand(key);
      if (key.moduleId === undefined) {
        for (const moduleId of modules(key.deviceId)) note({ deviceId: key.deviceId, moduleId }, undefined);
      }
      note(key, undefined);
      events.push({ ...base(key), kind: 'deleted' });
    },
    patch(key, patch) {
      const state = demand(key);
      const version = state.twin.version + 1;
      note(key, { ...state, twin: { ...patchedSections(state.twin, patch), version } });
      events.push({ ...base(key), kind: 'updated', version, patch });
    },
    replace(key, sections) {
      const state = demand(key);
      const twin = { ...state.twin, tags: {}, desired: {}, ...sections, version: state.twin.version + 1 };
      note(key, { ...state, twin });
      events.push({ ...base(key), kind: 'replaced', twin });
    },
    setIdentity(key, identity) {
      note(key, { ...demand(key), identity });
    },
    get: (key) => readingOf(stateOf(key)),
    query(key, lagSteps) {
      const { versions } = entry(key);
      const at = versions.findLastIndex((version) => version.step <= step - lagSteps);
      const shown = versions[at];
      if (shown?.state !== undefined) return readingOf(shown.state);
      const isListed = shown !== undefined && nowMs - shown.atMs < LISTED_MS;
      return readingOf(isListed ? versions[at - 1]?.state : undefined);
    },
    everWas(key, identity) {
      const { life } = demand(key);
      return entry(key).versions.some(
        ({ state }) => state?.life === life && isDeepStrictEqual(state.identity, identity),
      );
    },
    modules,
    keys: () => [...known.values()].map(({ key }) => key),
    isThere: (key) => stateOf(key) !== undefined,
  };
}

function readingOf(state: ModelIdentity | undefined): Reading {
  if (state === undefined) return 'absent';
  const { identity, twin } = state;
  return { identity, twin } satisfies FoundIdentity;
}

function hash(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return sum;
}
