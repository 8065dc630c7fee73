/**
 * Compares what a report says of each line of a dropped file with what the hub's registry was before and is after. It has
 * a parser of its own for the file, and shares no logic with the app: the rules here are those of the docs and of
 * https://learn.microsoft.com/azure/iot-hub/iot-hub-bulk-identity-mgmt#import-behavior.
 */

import { isDeepStrictEqual } from 'node:util';

import { OUTCOMES, type Outcome } from '../../src/lib/runs/runRecord.ts';
import type { ReportRow } from '../helpers/stack.ts';
import {
  identityKey,
  type RegistryAuthentication,
  type RegistryIdentity,
  type RegistrySnapshot,
} from './readRegistry.ts';

export interface OracleInput {
  readonly before: RegistrySnapshot;
  readonly after: RegistrySnapshot;
  /** Text of the dropped file: lines of JSON. */
  readonly file: string;
  readonly rows: readonly Pick<ReportRow, 'line' | 'deviceId' | 'moduleId' | 'outcome' | 'code'>[];
  /** Option `importMode` of the run. */
  readonly importMode?: string;
  /** Option `missingKeys` of the run. */
  readonly missingKeys?: 'keep' | 'regenerate';
}

export interface Judgement {
  /** One sentence each; none when report and registry agree. */
  readonly contradictions: readonly string[];
  readonly outcomes: Readonly<Record<Outcome, number>>;
}

/** One line of the file that is a JSON object with an id. */
export interface DroppedLine {
  /** Its number in the file, from 1. */
  readonly line: number;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly mode: string;
  readonly device: DroppedDevice;
}

export interface DroppedDevice {
  readonly id: string;
  readonly moduleId?: string;
  readonly importMode?: string;
  readonly eTag?: string;
  readonly status?: string | null;
  readonly statusReason?: string | null;
  readonly authentication?: {
    readonly type?: string | null;
    readonly symmetricKey?: { readonly primaryKey?: string | null; readonly secondaryKey?: string | null } | null;
    readonly x509Thumbprint?: {
      readonly primaryThumbprint?: string | null;
      readonly secondaryThumbprint?: string | null;
    } | null;
  } | null;
  readonly capabilities?: { readonly iotEdge?: boolean } | null;
  readonly tags?: object | null;
  readonly properties?: { readonly desired?: object | null } | null;
}

/** Lines that are neither blank nor readable are undefined. By line number, from 1. */
export function readDrop(file: string, importMode = 'createOrUpdate'): Map<number, DroppedLine | undefined> {
  const lines = new Map<number, DroppedLine | undefined>();
  for (const [index, raw] of file
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (raw.trim() === '') continue;
    lines.set(index + 1, readLine(raw, index + 1, importMode));
  }
  return lines;
}

function readLine(raw: string, line: number, importMode: string): DroppedLine | undefined {
  try {
    const device = JSON.parse(raw) as DroppedDevice;
    if (typeof device !== 'object' || device === null || typeof device.id !== 'string') return undefined;
    const mode = device.importMode ?? importMode;
    return { line, deviceId: device.id, moduleId: device.moduleId ?? '', mode, device };
  } catch {
    return undefined;
  }
}

/** Everything in which report and registry contradict each other. */
export function judge(input: OracleInput): Judgement {
  const { before, after, rows } = input;
  const contradictions: string[] = [];
  const outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  const lines = readDrop(input.file, input.importMode);

  const seen = new Set<number>();
  const rowOf = new Map<string, { readonly dropped: DroppedLine; readonly outcome: string; readonly code: string }>();
  for (const row of rows) {
    const number = Number(row.line);
    if (!(OUTCOMES as readonly string[]).includes(row.outcome)) {
      contradictions.push(`line ${number}: "${row.outcome}" is no outcome`);
      continue;
    }
    outcomes[row.outcome as Outcome] += 1;
    if (!lines.has(number)) contradictions.push(`line ${number}: reported, but the file has no such line`);
    if (seen.has(number)) contradictions.push(`line ${number}: reported twice`);
    seen.add(number);
    const dropped = lines.get(number);
    // What was not taken in touches nothing: another line may name the same identity.
    if (row.outcome === 'rejected' || row.outcome === 'skipped') continue;
    if (dropped === undefined) {
      contradictions.push(`line ${number}: ${row.outcome}, but it cannot be read`);
      continue;
    }
    if (row.deviceId !== dropped.deviceId || row.moduleId !== dropped.moduleId) {
      contradictions.push(`line ${number}: reported as ${identityKey(row.deviceId, row.moduleId)}`);
    }
    const key = identityKey(dropped.deviceId, dropped.moduleId);
    if (rowOf.has(key)) contradictions.push(`line ${number}: ${key} was taken in twice`);
    rowOf.set(key, { dropped, outcome: row.outcome, code: row.code });
  }
  for (const number of lines.keys()) {
    if (!seen.has(number)) contradictions.push(`line ${number}: not reported`);
  }

  for (const key of new Set([...before.keys(), ...after.keys(), ...rowOf.keys()])) {
    const was = before.get(key);
    const is = after.get(key);
    const { deviceId, moduleId } = was ?? is ?? rowOf.get(key)?.dropped ?? { deviceId: key, moduleId: '' };
    // A hub makes and removes these itself, with the edge device.
    if (moduleId.startsWith('$')) continue;
    const owner = moduleId === '' ? undefined : rowOf.get(deviceId);
    const ownerDeleted = owner !== undefined && isDelete(owner.dropped.mode) ? owner.outcome : undefined;
    const row = rowOf.get(key);
    if (row === undefined || row.outcome === 'failed') {
      // The modules of a device go with it.
      if (ownerDeleted === 'unconfirmed') continue;
      const expected = ownerDeleted === 'succeeded' ? undefined : was;
      const difference = differenceOf(expected, is);
      if (difference === undefined) continue;
      const partly = row !== undefined && was !== undefined && is !== undefined && isPartial(row, was, is, input);
      if (partly) continue;
      contradictions.push(
        row === undefined
          ? `${key}: no line was taken in for it, but ${difference}`
          : `line ${row.dropped.line} (${key}, ${row.dropped.mode}): failed with ${row.code}, but ${difference}`,
      );
      continue;
    }
    const { dropped, outcome, code } = row;
    const say = (what: string) =>
      contradictions.push(`line ${dropped.line} (${key}, ${dropped.mode}): ${outcome} ${code}, but ${what}`);
    switch (outcome) {
      case 'unconfirmed':
        break;
      case 'unchanged':
        if (!isDelete(dropped.mode)) say('it is no delete');
        if (was !== undefined && ownerDeleted === undefined) say('it was there before');
        if (is !== undefined) say('it is there');
        break;
      case 'succeeded':
      case 'succeededWithWarning': {
        // Verified, a create that met its like cannot be told from one that made it: as before, or as asked.
        if (code === 'readBack' && dropped.mode === 'create' && was !== undefined) {
          if (differenceOf(was, is) !== undefined) say('what was there before changed');
          break;
        }
        const problem = problemWithSuccess(dropped, was, is, input);
        const withoutTwin = outcome === 'succeededWithWarning' && WITHOUT_TWIN.test(code);
        if (problem !== undefined && !(withoutTwin && /^(tags|desired)/.test(problem))) say(problem);
        break;
      }
      default:
        say('the oracle knows no rule for it');
    }
  }
  return { contradictions, outcomes };
}

/** The identity was made, its twin was not; the report says so. */
const WITHOUT_TWIN = /WithoutTwin|ImportWarning/;

export function isDelete(mode: string): boolean {
  return mode === 'delete' || mode === 'deleteIfMatchETag';
}

function isTwinOnly(mode: string): boolean {
  return mode === 'updateTwin' || mode === 'updateTwinIfMatchETag';
}

/** How the registry differs from what was to be as before; undefined when it does not. */
function differenceOf(expected: RegistryIdentity | undefined, is: RegistryIdentity | undefined): string | undefined {
  if (expected === undefined) return is === undefined ? undefined : 'it is there';
  if (is === undefined) return 'it is gone';
  for (const field of ['generationId', 'status', 'statusReason', 'iotEdge', 'tags', 'desired'] as const) {
    if (!isDeepStrictEqual(is[field], expected[field])) return `${field} changed`;
  }
  return isDeepStrictEqual(is.authentication, expected.authentication) ? undefined : 'authentication changed';
}

/** Why the registry does not hold what the line asked; undefined when it does. Never quotes a key. */
function problemWithSuccess(
  { device, mode }: DroppedLine,
  was: RegistryIdentity | undefined,
  is: RegistryIdentity | undefined,
  { missingKeys = 'keep' }: OracleInput,
): string | undefined {
  if (isDelete(mode)) return is === undefined ? undefined : 'it is still there';
  if (is === undefined) return 'it is not there';
  if (was !== undefined && was.generationId !== is.generationId) return 'it was deleted and made anew';
  if (was === undefined && (mode.startsWith('update') || isTwinOnly(mode))) return 'there was nothing to update';
  if (was !== undefined && mode === 'create') return 'it was there before';
  const twin = problemWithTwin({ device, mode }, was, is);
  if (twin !== undefined) return twin;
  if (isTwinOnly(mode)) {
    return differenceOf(was, { ...is, tags: was?.tags ?? {}, desired: was?.desired ?? {} });
  }
  if (device.moduleId === undefined) {
    const status = device.status ?? was?.status ?? 'enabled';
    if (is.status !== status) return `status is ${is.status}, not ${status}`;
    const reason = device.statusReason ?? was?.statusReason ?? '';
    if (is.statusReason !== reason) return 'statusReason is another';
    const iotEdge = device.capabilities?.iotEdge ?? was?.iotEdge ?? false;
    if (is.iotEdge !== iotEdge) return `iotEdge is ${is.iotEdge}, not ${iotEdge}`;
  }
  const given = authenticationOf(device);
  if (given !== undefined) {
    return isDeepStrictEqual(is.authentication, given) ? undefined : 'authentication is not what the line gives';
  }
  if (was === undefined) return madeByHub(is.authentication) ? undefined : 'it has no new keys';
  if (missingKeys === 'keep') {
    return isDeepStrictEqual(is.authentication, was.authentication) ? undefined : 'authentication was not kept';
  }
  const renewed = madeByHub(is.authentication) && is.authentication.primaryKey !== was.authentication.primaryKey;
  return renewed ? undefined : 'keys were not made anew';
}

/** A merge patch (RFC 7396): null takes away, objects are merged, all else replaces. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isPlainObject(patch)) return patch;
  const merged: Record<string, unknown> = isPlainObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a section of a twin is to be: merged by a twin update, else written over what was there. */
function expectedSection(given: object | null | undefined, was: object | undefined, mode: string): unknown {
  if (given === null || given === undefined) return was ?? {};
  return mergePatch(isTwinOnly(mode) ? was : {}, given);
}

function problemWithTwin(
  { device, mode }: Pick<DroppedLine, 'device' | 'mode'>,
  was: RegistryIdentity | undefined,
  is: RegistryIdentity,
): string | undefined {
  const tags = expectedSection(device.tags, was?.tags, mode);
  if (!isDeepStrictEqual(is.tags, tags)) return `tags are ${JSON.stringify(is.tags)}, not ${JSON.stringify(tags)}`;
  const desired = expectedSection(device.properties?.desired, was?.desired, mode);
  if (!isDeepStrictEqual(is.desired, desired)) {
    return `desired is ${JSON.stringify(is.desired)}, not ${JSON.stringify(desired)}`;
  }
  return undefined;
}

/** Keys or thumbprints of a line; undefined when it leaves them to device or hub. */
function authenticationOf({ authentication }: DroppedDevice): RegistryAuthentication | undefined {
  const { symmetricKey, x509Thumbprint, type } = authentication ?? {};
  const none = { primaryKey: null, secondaryKey: null, primaryThumbprint: null, secondaryThumbprint: null };
  if (type === 'certificateAuthority') return { ...none, type };
  if (type === 'selfSigned') {
    const { primaryThumbprint = null, secondaryThumbprint = null } = x509Thumbprint ?? {};
    return primaryThumbprint === null ? undefined : { ...none, type, primaryThumbprint, secondaryThumbprint };
  }
  const { primaryKey = null, secondaryKey = null } = symmetricKey ?? {};
  return primaryKey === null ? undefined : { ...none, type: 'sas', primaryKey, secondaryKey };
}

function madeByHub({ type, primaryKey, secondaryKey }: RegistryAuthentication): boolean {
  return type === 'sas' && primaryKey !== null && secondaryKey !== null;
}

/**
 * Ways in which a line may fail and yet change something. With an etag mode the hub judges identity and twin by themselves,
 * so one of the two may have been written, never both; and neither if the etag was stale when the file was dropped. A line
 * that says so itself may have left what had to go.
 */
function isPartial(
  row: { readonly dropped: DroppedLine; readonly code: string },
  was: RegistryIdentity,
  is: RegistryIdentity,
  input: OracleInput,
): boolean {
  const { dropped, code } = row;
  const identity = { ...dropped, device: { ...dropped.device, tags: null, properties: null } };
  const twinOf = (one: RegistryIdentity) => ({ ...one, tags: was.tags, desired: was.desired });
  if (code === 'keysNotRemoved') {
    const { device, mode } = dropped;
    const leaves = (given: object | null | undefined, before: object, after: object): boolean => {
      const whole = expectedSection(given, before, mode);
      return isDeepStrictEqual(after, whole) || isDeepStrictEqual(after, mergePatch(before, whole));
    };
    return (
      leaves(device.tags, was.tags, is.tags) &&
      leaves(device.properties?.desired, was.desired, is.desired) &&
      problemWithSuccess(identity, was, twinOf(is), input) === undefined
    );
  }
  if (dropped.device.eTag !== was.eTag) return false;
  if (!/^(createOrUpdate|update)IfMatchETag$/.test(dropped.mode)) return false;
  if (!/PreconditionFailed|EtagDoesNotMatch|notApplied/.test(code)) return false;
  const twinOnly = differenceOf(was, twinOf(is)) === undefined;
  const twinWritten = problemWithTwin(dropped, was, is) === undefined;
  if (twinOnly) return twinWritten;
  const twinKept = isDeepStrictEqual([is.tags, is.desired], [was.tags, was.desired]);
  return twinKept && !twinWritten && problemWithSuccess(identity, was, is, input) === undefined;
}

/**
 * What each line that is taken in comes to on a hub without trouble: `succeeded` stands for its warnings too. By line
 * number. Devices go before modules, as the app sends them. Lines of `refused` devices fail. A delete of a module whose
 * device the file deletes too is left out: what came first decides.
 */
export function naturalOutcomes(
  before: RegistrySnapshot,
  lines: readonly DroppedLine[],
  refused: readonly string[] = [],
): Map<number, 'succeeded' | 'failed' | 'unchanged'> {
  const there = new Map([...before].map(([key, { eTag }]): [string, string | undefined] => [key, eTag]));
  const outcomes = new Map<number, 'succeeded' | 'failed' | 'unchanged'>();
  const deleted = new Set(
    lines.flatMap((line) => (line.moduleId === '' && isDelete(line.mode) ? [line.deviceId] : [])),
  );
  const ordered = [...lines.filter((line) => line.moduleId === ''), ...lines.filter((line) => line.moduleId !== '')];
  for (const { line, deviceId, moduleId, mode, device } of ordered) {
    if (moduleId !== '' && deleted.has(deviceId)) continue;
    const key = identityKey(deviceId, moduleId);
    const exists = there.has(key);
    if (refused.includes(deviceId)) {
      outcomes.set(line, 'failed');
      continue;
    }
    if (isDelete(mode)) {
      if (!exists) outcomes.set(line, 'unchanged');
      else if (mode === 'deleteIfMatchETag' && device.eTag !== there.get(key)) outcomes.set(line, 'failed');
      else {
        outcomes.set(line, 'succeeded');
        for (const other of [...there.keys()]) if (other === key || other.startsWith(`${key} / `)) there.delete(other);
      }
      continue;
    }
    const mayCreate = mode.startsWith('create') && (moduleId === '' || there.has(deviceId));
    const mayUpdate = mode !== 'create' && (!mode.endsWith('IfMatchETag') || device.eTag === there.get(key));
    const succeeds = exists ? mayUpdate : mayCreate;
    outcomes.set(line, succeeds ? 'succeeded' : 'failed');
    // Its etag is another now.
    if (succeeds) there.set(key, undefined);
  }
  return outcomes;
}
