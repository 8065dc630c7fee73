/**
 * A devices file compared with a snapshot of a registry: what each line would do, in a few bytes a line, whatever the
 * size of both.
 */

import { createIdentityTable, identityOf } from '../devicesFile/identityTable.ts';
import { IMPORT_MODES, importModeOf, MODE_RULES } from '../devicesFile/importMode.ts';
import { bareEtag } from '../registry/etag.ts';
import {
  type ComparingLine,
  EFFECTS,
  type Effect,
  etagsAskedFor,
  isThereAfter,
  whatWouldHappen,
} from './whatWouldHappen.ts';

/** A line of a devices file that was checked, or of a snapshot, as far as it is compared. */
interface ComparedLine extends ComparingLine {
  readonly id: string;
  readonly moduleId?: string | null;
  readonly importMode?: string;
  readonly status?: string | null;
}

export interface CompareInput {
  /** The lines of the file; each identity occurs once. Read once. */
  readonly lines: AsyncIterable<string>;
  /** Lines of the registry as exports write them, of all identities that the file names at least. Read once. */
  readonly snapshot: AsyncIterable<string>;
  /** Devices of the file and the parents that they are to have, where that matters. Read twice. */
  readonly parents?: () => AsyncIterable<readonly [id: string, parent: string | null, ...unknown[]]>;
}

/** What would happen to one line. */
export interface PlannedLine {
  readonly effect: Effect;
  /** A device that is enabled now and would be disabled. */
  readonly disables: boolean;
  /** It would be written, but not get its parent: that is not there, and the file does not create it. */
  readonly lacksParent: boolean;
}

export interface Comparison {
  readonly effects: Readonly<Record<Effect, number>>;
  /** Of those that would be deleted. */
  readonly deletedModules: number;
  /** Of those that would be overwritten. */
  readonly disabled: number;
  readonly lackingParent: number;
  /** @throws Error when the file has no such line */
  of(line: { readonly id: string; readonly moduleId?: string | null }): PlannedLine;
}

// What is known of an identity, in one byte.
const THERE = 1;
const DISABLED = 2;
const ASKS_ETAG = 4;
const ASKS_TWIN_ETAG = 8;
const ETAG_DIFFERS = 16;
const WRITES_DISABLED = 32;
const LACKS_PARENT = 64;

export async function compareLines({
  lines,
  snapshot,
  parents = async function* () {},
}: CompareInput): Promise<Comparison> {
  const known = createIdentityTable();
  const asked = createIdentityTable();
  let size = 0;
  let facts = new Uint8Array(1024);
  /** Of a line of the file: one more than the number of its mode. 0: others refer to the identity, no line names it. */
  let modes = new Uint8Array(1024);
  /** Of a module of the file. */
  let deviceOf = new Uint32Array(0);

  function ordinalOf(identity: string): number {
    const before = known.claim(identity, size + 1);
    if (before !== 0) return before;
    size += 1;
    if (size === facts.length) {
      facts = grown(facts, new Uint8Array(size * 2));
      modes = grown(modes, new Uint8Array(size * 2));
    }
    return size;
  }

  for await (const text of lines) {
    const line = JSON.parse(text) as ComparedLine;
    const mode = importModeOf(line);
    const identity = identityOf(line);
    const ordinal = ordinalOf(identity);
    modes[ordinal] = IMPORT_MODES.indexOf(mode) + 1;
    let bits = 0;
    const { eTag, twinETag } = etagsAskedFor(mode, line);
    if (eTag !== undefined) {
      bits |= ASKS_ETAG;
      asked.claim(`${identity}\n\n${eTag}`, 1);
    }
    if (twinETag !== undefined) {
      bits |= ASKS_TWIN_ETAG;
      asked.claim(`${identity}\n\n\n${twinETag}`, 1);
    }
    if (isModule(line)) {
      const device = ordinalOf(line.id);
      if (size >= deviceOf.length) deviceOf = grown(deviceOf, new Uint32Array(facts.length));
      deviceOf[ordinal] = device;
    } else if (MODE_RULES[mode].writesIdentity && isDisabled(line)) {
      bits |= WRITES_DISABLED;
    }
    facts[ordinal] = (facts[ordinal] ?? 0) | bits;
  }
  for await (const [, parent] of parents()) if (parent !== null) ordinalOf(parent);

  for await (const text of snapshot) {
    // An export may begin with a line of plain text.
    if (!text.startsWith('{')) continue;
    const there = JSON.parse(text) as ComparedLine;
    // A snapshot of what lines name need not show the devices of its modules.
    const device = isModule(there) ? known.find(there.id) : 0;
    if (device !== 0) facts[device] = (facts[device] ?? 0) | THERE;
    const identity = identityOf(there);
    const ordinal = known.find(identity);
    if (ordinal === 0) continue;
    const asks = facts[ordinal] ?? 0;
    const differs = (bit: number, etag: string | null | undefined, gap: string): boolean =>
      (asks & bit) !== 0 && typeof etag === 'string' && asked.find(`${identity}${gap}${bareEtag(etag)}`) === 0;
    const isOther = differs(ASKS_ETAG, there.eTag, '\n\n') || differs(ASKS_TWIN_ETAG, there.twinETag, '\n\n\n');
    facts[ordinal] = asks | THERE | (isDisabled(there) ? DISABLED : 0) | (isOther ? ETAG_DIFFERS : 0);
  }

  const effectOf = (ordinal: number): Effect => {
    const mode = IMPORT_MODES[(modes[ordinal] ?? 0) - 1];
    if (mode === undefined) throw new Error('The file has no line for this identity.');
    const bits = facts[ordinal] ?? 0;
    const found = (bits & THERE) === 0 ? undefined : { etagDiffers: (bits & ETAG_DIFFERS) !== 0 };
    const device = deviceOf[ordinal] ?? 0;
    if (device === 0) return whatWouldHappen({ mode }, found);
    return whatWouldHappen({ mode, moduleId: '' }, found, { isThere: isDeviceThereAfter(device) });
  };
  const isDeviceThereAfter = (ordinal: number): boolean =>
    modes[ordinal] === 0 ? ((facts[ordinal] ?? 0) & THERE) !== 0 : isThereAfter(effectOf(ordinal));
  const planOf = (ordinal: number): PlannedLine => {
    const effect = effectOf(ordinal);
    const bits = facts[ordinal] ?? 0;
    return {
      effect,
      disables: effect === 'overwritten' && (bits & WRITES_DISABLED) !== 0 && (bits & DISABLED) === 0,
      lacksParent: (effect === 'created' || effect === 'overwritten') && (bits & LACKS_PARENT) !== 0,
    };
  };

  for await (const [id, parent] of parents()) {
    if (parent === null || isDeviceThereAfter(known.find(parent))) continue;
    const ordinal = known.find(id);
    facts[ordinal] = (facts[ordinal] ?? 0) | LACKS_PARENT;
  }

  const effects = Object.fromEntries(EFFECTS.map((effect) => [effect, 0])) as Record<Effect, number>;
  let deletedModules = 0;
  let disabled = 0;
  let lackingParent = 0;
  for (let ordinal = 1; ordinal <= size; ordinal++) {
    if (modes[ordinal] === 0) continue;
    const plan = planOf(ordinal);
    effects[plan.effect] += 1;
    if (plan.effect === 'deleted' && (deviceOf[ordinal] ?? 0) !== 0) deletedModules += 1;
    if (plan.disables) disabled += 1;
    if (plan.lacksParent) lackingParent += 1;
  }
  return { effects, deletedModules, disabled, lackingParent, of: (line) => planOf(known.find(identityOf(line))) };
}

function grown<Column extends Uint8Array | Uint32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

function isModule({ moduleId }: ComparedLine): boolean {
  return moduleId !== undefined && moduleId !== null;
}

function isDisabled({ status }: ComparedLine): boolean {
  return status?.toLowerCase() === 'disabled';
}
