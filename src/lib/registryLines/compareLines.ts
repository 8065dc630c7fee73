/**
 * A devices file compared with a snapshot of a registry: what each line would do, in a few bytes a line, whatever the
 * size of both.
 */

import { createIdentityTable, identityOf } from '../devicesFile/identityTable.ts';
import { IMPORT_MODES, importModeOf, MODE_RULES } from '../devicesFile/importMode.ts';
import { bareEtag } from '../registry/etag.ts';
import { isModuleLine } from './snapshot.ts';
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
  /** Each line in exactly one. */
  readonly effects: Readonly<Record<Effect, number>>;
  /** Of those that would be deleted. */
  readonly deletedModules: number;
  /** Of those that would be overwritten: devices that are enabled now. */
  readonly disabled: number;
  /** Of those that would be created or overwritten: devices that would not get their parent, which is not there. */
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
  const table = new IdentityFacts();
  await noteLines(table, lines);
  for await (const [, parent] of parents()) if (parent !== null) table.ordinalOf(parent);
  await noteRegistry(table, snapshot);

  const effectOf = (ordinal: number): Effect => {
    const mode = IMPORT_MODES[(table.modes[ordinal] ?? 0) - 1];
    if (mode === undefined) throw new Error('The file has no line for this identity.');
    const bits = table.facts[ordinal] ?? 0;
    const found = (bits & THERE) === 0 ? undefined : { etagDiffers: (bits & ETAG_DIFFERS) !== 0 };
    const device = table.deviceOf[ordinal] ?? 0;
    if (device === 0) return whatWouldHappen({ mode }, found);
    return whatWouldHappen({ mode, moduleId: '' }, found, { isThere: isDeviceThereAfter(device) });
  };
  const isDeviceThereAfter = (ordinal: number): boolean =>
    table.modes[ordinal] === 0 ? ((table.facts[ordinal] ?? 0) & THERE) !== 0 : isThereAfter(effectOf(ordinal));
  const planOf = (ordinal: number): PlannedLine => {
    const effect = effectOf(ordinal);
    const bits = table.facts[ordinal] ?? 0;
    return {
      effect,
      disables: effect === 'overwritten' && (bits & WRITES_DISABLED) !== 0 && (bits & DISABLED) === 0,
      lacksParent: (effect === 'created' || effect === 'overwritten') && (bits & LACKS_PARENT) !== 0,
    };
  };

  for await (const [id, parent] of parents()) {
    if (parent === null || isDeviceThereAfter(table.known.find(parent))) continue;
    const ordinal = table.known.find(id);
    table.facts[ordinal] = (table.facts[ordinal] ?? 0) | LACKS_PARENT;
  }

  const effects = Object.fromEntries(EFFECTS.map((effect) => [effect, 0])) as Record<Effect, number>;
  let deletedModules = 0;
  let disabled = 0;
  let lackingParent = 0;
  for (let ordinal = 1; ordinal <= table.size; ordinal++) {
    if (table.modes[ordinal] === 0) continue;
    const plan = planOf(ordinal);
    effects[plan.effect] += 1;
    if (plan.effect === 'deleted' && (table.deviceOf[ordinal] ?? 0) !== 0) deletedModules += 1;
    if (plan.disables) disabled += 1;
    if (plan.lacksParent) lackingParent += 1;
  }
  return { effects, deletedModules, disabled, lackingParent, of: (line) => planOf(table.known.find(identityOf(line))) };
}

/** What is known of each identity that the file names, or that its lines refer to: a few bytes each, by its ordinal. */
class IdentityFacts {
  readonly known = createIdentityTable();
  /** Identities with the ETags that lines ask for. */
  readonly asked = createIdentityTable();
  /** The highest ordinal; the first is 1. */
  size = 0;
  facts = new Uint8Array(1024);
  /** Of a line of the file: one more than the number of its mode. 0: others refer to the identity, no line names it. */
  modes = new Uint8Array(1024);
  /** Of a module of the file. */
  deviceOf = new Uint32Array(0);

  ordinalOf(identity: string): number {
    const before = this.known.claim(identity, this.size + 1);
    if (before !== 0) return before;
    this.size += 1;
    if (this.size === this.facts.length) {
      this.facts = grown(this.facts, new Uint8Array(this.size * 2));
      this.modes = grown(this.modes, new Uint8Array(this.size * 2));
    }
    return this.size;
  }

  note(ordinal: number, bits: number): void {
    this.facts[ordinal] = (this.facts[ordinal] ?? 0) | bits;
  }

  noteDevice(ordinal: number, device: number): void {
    if (this.size >= this.deviceOf.length) this.deviceOf = grown(this.deviceOf, new Uint32Array(this.facts.length));
    this.deviceOf[ordinal] = device;
  }
}

async function noteLines(table: IdentityFacts, lines: AsyncIterable<string>): Promise<void> {
  for await (const text of lines) {
    const line = JSON.parse(text) as ComparedLine;
    const mode = importModeOf(line);
    const identity = identityOf(line);
    const ordinal = table.ordinalOf(identity);
    table.modes[ordinal] = IMPORT_MODES.indexOf(mode) + 1;
    const { eTag, twinETag } = etagsAskedFor(mode, line);
    if (eTag !== undefined) {
      table.note(ordinal, ASKS_ETAG);
      table.asked.claim(`${identity}\n\n${eTag}`, 1);
    }
    if (twinETag !== undefined) {
      table.note(ordinal, ASKS_TWIN_ETAG);
      table.asked.claim(`${identity}\n\n\n${twinETag}`, 1);
    }
    if (isModuleLine(line)) table.noteDevice(ordinal, table.ordinalOf(line.id));
    else if (MODE_RULES[mode].writesIdentity && isDisabled(line)) table.note(ordinal, WRITES_DISABLED);
  }
}

async function noteRegistry(table: IdentityFacts, snapshot: AsyncIterable<string>): Promise<void> {
  const { known, asked } = table;
  for await (const text of snapshot) {
    // An export may begin with a line of plain text.
    if (!text.startsWith('{')) continue;
    const there = JSON.parse(text) as ComparedLine;
    // A snapshot of what lines name need not show the devices of its modules.
    const device = isModuleLine(there) ? known.find(there.id) : 0;
    if (device !== 0) table.note(device, THERE);
    const identity = identityOf(there);
    const ordinal = known.find(identity);
    if (ordinal === 0) continue;
    const asks = table.facts[ordinal] ?? 0;
    const differs = (bit: number, etag: string | null | undefined, gap: string): boolean =>
      (asks & bit) !== 0 && typeof etag === 'string' && asked.find(`${identity}${gap}${bareEtag(etag)}`) === 0;
    const isOther = differs(ASKS_ETAG, there.eTag, '\n\n') || differs(ASKS_TWIN_ETAG, there.twinETag, '\n\n\n');
    table.note(ordinal, THERE | (isDisabled(there) ? DISABLED : 0) | (isOther ? ETAG_DIFFERS : 0));
  }
}

function grown<Column extends Uint8Array | Uint32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

function isDisabled({ status }: ComparedLine): boolean {
  return status?.toLowerCase() === 'disabled';
}
