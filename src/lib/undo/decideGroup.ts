/** What an undo does to one device and its modules, which hang together: a device takes its modules along. */

import { isMadeByHub, type ModuleOrigin } from '../registryExtras/systemModules.ts';
import type { Applied, EffectLine } from '../runs/runEffects.ts';
import type { IsConfigured } from './configured.ts';
import { parentIn, parentScopeIn } from './parentIn.ts';
import { undoLine } from './undoLine.ts';
import { type Undo, type UndoCase, undoOf } from './undoOf.ts';

/** The rows of one identity: its line is JSON of a `GroupLine`, the others are lines of a registry. */
interface IdentityRows {
  readonly line?: string;
  readonly before?: string;
  readonly live?: string;
}

type GroupLine = Pick<EffectLine, 'mode' | 'text' | 'parent' | 'applied'>;

export interface DeviceGroup {
  readonly id: string;
  /** By module id; '' is the device. */
  readonly identities: Map<string, IdentityRows>;
}

/** What has to be known of other devices to decide about one. */
export interface UndoFacts {
  /** Whether the run has deleted a device, or made it an edge device no more. */
  ended(id: string): Applied | undefined;
  isDeleted(id: string): boolean;
  /** The own scope of an edge device that the run has ended, as it is now. */
  scopeNow(id: string): string | undefined;
  /** Devices that the run has not touched are linked to this one now. */
  hasOtherChildren(id: string): boolean;
  /** Who managed a module of which its line of the pre-image says nothing; null: nobody; undefined: that is not known. */
  managerOf(module: { readonly id: string; readonly moduleId: string }): string | null | undefined;
  /** Whether anybody has looked what was there of an identity that a line of this mode names. */
  isBeforeKnown(mode: EffectLine['mode']): boolean;
  readonly isConfigured: IsConfigured;
}

export interface UndoneIdentity {
  readonly id: string;
  readonly moduleId?: string;
  readonly undo: Undo;
  /** The line that does it. Holds keys. */
  readonly line?: string;
  /** A module that no line can make: its line of the pre-image, to be put back by `applySystemModules`. */
  readonly system?: string;
  /** Who managed a module that a line puts back; null: nobody; absent: that is not known. */
  readonly managedBy?: string | null;
}

export function* decideGroup(
  { id, identities }: DeviceGroup,
  facts: UndoFacts,
  { force }: { readonly force: boolean },
): Generator<UndoneIdentity, void> {
  const device = identities.get('') ?? {};
  const modules = [...identities].filter(([moduleId]) => moduleId !== '');
  const undone = modules.map(([moduleId, rows]) => {
    const undo = undoOf({ ...caseOf(rows, facts), ...goneWith(moduleId, rows, id, facts), force });
    return { moduleId, rows, undo };
  });
  const isOthers = ({ rows: { live }, undo }: (typeof undone)[number]) =>
    live !== undefined && undo.do !== 'remove' && !isOfHub(live);
  const others = [
    ...(undone.some(isOthers) ? (['modules'] as const) : []),
    ...(facts.hasOtherChildren(id) ? (['children'] as const) : []),
  ];
  const undo = undoOf({ ...caseOf(device, facts), ...linkOf(device, facts), others, force });
  for (const { moduleId, rows, undo: ofModule } of undone) {
    // The device takes it along.
    if (undo.do === 'remove' && rows.live !== undefined && rows.line === undefined) continue;
    yield { id, moduleId, undo: ofModule, ...(undo.do === 'remove' ? {} : waysOf(ofModule, rows, { facts, force })) };
  }
  if (identities.has('')) yield { id, undo, ...waysOf(undo, device, { facts, force }) };
}

function caseOf({ before, live, line }: IdentityRows, facts: UndoFacts): UndoCase {
  const parsed = line === undefined ? undefined : (JSON.parse(line) as GroupLine);
  return {
    before,
    live,
    line: parsed,
    isConfigured: facts.isConfigured,
    ...(parsed === undefined ? {} : { isBeforeKnown: facts.isBeforeKnown(parsed.mode) }),
  };
}

/** A device that is deleted takes its modules along; one that is no edge device any more its system modules. */
function goneWith(
  moduleId: string,
  rows: IdentityRows,
  id: string,
  facts: UndoFacts,
): Pick<UndoCase, 'goneWithDevice'> {
  const ended = facts.ended(id);
  if (ended === undefined || rows.before === undefined) return {};
  return moduleId.startsWith('$') || facts.isDeleted(id) ? { goneWithDevice: ended } : {};
}

function linkOf({ before, live }: IdentityRows, facts: UndoFacts): Pick<UndoCase, 'unlinked' | 'needsLink'> {
  const parent = before === undefined ? undefined : parentIn(before);
  if (parent === undefined || facts.ended(parent) === undefined) return {};
  if (live === undefined || parentIn(live) !== parent) return { unlinked: true };
  return { unlinked: true, needsLink: facts.scopeNow(parent) !== parentScopeIn(live) };
}

function waysOf(
  undo: Undo,
  { before, live }: IdentityRows,
  { facts, force }: { readonly facts: UndoFacts; readonly force: boolean },
): Pick<UndoneIdentity, 'line' | 'system' | 'managedBy'> {
  const writes = undo.do === 'restore' || undo.do === 'recreate';
  if (writes && before !== undefined && isOfHub(before)) return { system: before };
  const origin =
    writes && before !== undefined ? (JSON.parse(before) as ModuleOrigin & { readonly id: string }) : undefined;
  const line = undoLine(undo, { before, live, force });
  if (line === undefined) return {};
  if (typeof origin?.moduleId !== 'string') return { line };
  const { id, moduleId } = origin;
  const managedBy = origin.managedBy ?? facts.managerOf({ id, moduleId });
  return { line, ...(managedBy === undefined ? {} : { managedBy }) };
}

/** A module that a deployment has made, or that came with an edge device. */
function isOfHub(text: string): boolean {
  const origin = JSON.parse(text) as ModuleOrigin;
  return isMadeByHub(origin, () => origin.managedBy);
}
