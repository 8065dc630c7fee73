/**
 * Which devices are to be linked to which parents, and in which order, given what a file asks for and what the registry
 * holds. Ids are kept in memory (of the devices with a parent, their parents, and edge devices that have parents
 * already), lines are not: the registry is read once to plan, and once more to write the lines.
 */

import { deviceOfScope } from '../../devicesFile/edgeParents.ts';
import { isModuleLine } from '../../registryLines/snapshot.ts';
import type { LinkFailure } from '../again/parentLinks.ts';

/** So many edge devices may be above another (IoT Edge docs, "Understand limits and restrictions"). */
export const MOST_EDGES_ABOVE = 5;

/** What planning needs of a line of the registry, as exports write it. */
export interface LinkableLine {
  readonly id: string;
  readonly moduleId?: string | null;
  readonly eTag?: string;
  readonly status?: string;
  readonly statusReason?: string | null;
  readonly authentication?: object | null;
  readonly capabilities?: { readonly iotEdge?: boolean | null } | null;
  readonly deviceScope?: string | null;
  readonly parentScopes?: readonly string[] | null;
}

export interface ParentPlan {
  /** How many devices are to be linked, level by level: a level may be sent when the one before it is through. */
  readonly levels: readonly number[];
  /** Devices that are not to be linked: why they cannot be, or null where they have their parent already. */
  decided(): Iterable<readonly [id: string, failure: LinkFailure | null]>;
  /** The line that links a device, and its level (from 0); undefined if it is not to be linked. */
  linkLine(line: LinkableLine): { readonly level: number; readonly line: object } | undefined;
}

export interface ParentPlanner {
  /** A device and the parent that it is to have. */
  want(id: string, parent: string): void;
  /** A line of the registry; comes after all `want`s. */
  see(line: LinkableLine): void;
  /** Comes after all lines of the registry. */
  plan(): ParentPlan;
}

/** Plans the links of all rows that name a parent; `registry`: lines of a snapshot, read once. */
export async function planParents(
  rows: AsyncIterable<readonly [id: string, parent: string | null, ...unknown[]]>,
  registry: AsyncIterable<string>,
): Promise<ParentPlan> {
  const planner = createParentPlanner();
  for await (const [id, parent] of rows) if (parent !== null) planner.want(id, parent);
  for await (const text of registry) planner.see(JSON.parse(text) as LinkableLine);
  return planner.plan();
}

/** The lines that link devices, of all levels, in the order of the registry. */
export async function* linkLines(
  plan: ParentPlan,
  registry: AsyncIterable<string>,
): AsyncGenerator<{ readonly level: number; readonly line: object }> {
  for await (const text of registry) {
    const link = plan.linkLine(JSON.parse(text) as LinkableLine);
    if (link !== undefined) yield link;
  }
}

const NONE = -1;
/** Some edge device that has no parent: those that have one are all known. */
const TOP = -2;

/** A device: one that is to be linked, or one that is or may be above others. Devices are numbers here. */
interface Nodes {
  readonly ids: string[];
  /** The parent that it is to have. */
  readonly wanted: number[];
  readonly seen: boolean[];
  /** Of an edge device. */
  readonly ownScope: (string | undefined)[];
  /** Of its parent as it is; a number in a list, for many have the same. */
  readonly currentScope: number[];
  readonly failure: (LinkFailure | undefined)[];
  /** How many edge devices are above an edge device, when all is done. */
  readonly above: number[];
}

export function createParentPlanner(): ParentPlanner {
  const numberOf = new Map<string, number>();
  const nodes: Nodes = { ids: [], wanted: [], seen: [], ownScope: [], currentScope: [], failure: [], above: [] };
  const scopes: string[] = [];
  const scopeNumbers = new Map<string, number>();

  function nodeOf(id: string): number {
    const known = numberOf.get(id);
    if (known !== undefined) return known;
    const node = nodes.ids.push(id) - 1;
    numberOf.set(id, node);
    nodes.wanted.push(NONE);
    nodes.seen.push(false);
    nodes.ownScope.push(undefined);
    nodes.currentScope.push(NONE);
    nodes.failure.push(undefined);
    nodes.above.push(NONE);
    return node;
  }

  function scopeNumber(scope: string): number {
    const known = scopeNumbers.get(scope);
    if (known !== undefined) return known;
    const number = scopes.push(scope) - 1;
    scopeNumbers.set(scope, number);
    return number;
  }

  return {
    want(id, parent) {
      nodes.wanted[nodeOf(id)] = nodeOf(parent);
    },
    see(line) {
      if (isModuleLine(line)) return;
      const isEdge = isEdgeLine(line);
      const parentScope = isEdge ? line.parentScopes?.[0] : line.deviceScope;
      const hasParent = parentScope !== undefined && parentScope !== null && parentScope !== '';
      // Edge devices that are linked already can be above those of the file.
      const node = isEdge && hasParent ? nodeOf(line.id) : numberOf.get(line.id);
      if (node === undefined) return;
      nodes.seen[node] = true;
      if (isEdge) nodes.ownScope[node] = line.deviceScope ?? undefined;
      if (hasParent) nodes.currentScope[node] = scopeNumber(parentScope);
    },
    plan: () => planOf(nodes, scopes, numberOf),
  };
}

function isEdgeLine(line: LinkableLine): boolean {
  return line.capabilities?.iotEdge === true;
}

/** Links of devices, or to parents, that are not there, and to such as can be none. */
function failMissing({ wanted, seen, ownScope, failure }: Nodes): void {
  for (const [node, parent] of wanted.entries()) {
    if (parent === NONE) continue;
    if (!seen[node]) failure[node] = 'DeviceNotFound';
    else if (!seen[parent]) failure[node] = 'ParentNotFound';
    else if (ownScope[parent] === undefined) failure[node] = 'ParentNotEdge';
  }
}

function planOf(nodes: Nodes, scopes: readonly string[], numberOf: ReadonlyMap<string, number>): ParentPlan {
  const { ids, wanted, ownScope, currentScope, failure, above } = nodes;
  const scopeOfParent = (node: number): string | undefined => scopes[currentScope[node] ?? NONE];
  const isEdge = (node: number): boolean => ownScope[node] !== undefined;

  failMissing(nodes);

  /** The parent that a device has now: TOP if it has none above itself, NONE for a scope that nobody has any more. */
  function currentParent(node: number): number {
    const scope = scopeOfParent(node);
    const id = scope === undefined ? undefined : deviceOfScope(scope);
    if (id === undefined) return NONE;
    const parent = numberOf.get(id);
    if (parent === undefined) return TOP;
    return ownScope[parent] === scope ? parent : NONE;
  }
  const isLink = (node: number): boolean => wanted[node] !== NONE && failure[node] === undefined;
  /** The parent that it has when all is done. */
  const finalParent = (node: number): number => (isLink(node) ? (wanted[node] ?? NONE) : currentParent(node));

  // Leaves are above nobody, so only edge devices can make a circle or be too deep.
  for (const node of ids.keys()) if (isEdge(node)) resolve(node);

  /** Counts what is above a device, and fails links that would close a circle or lie too deep. */
  function resolve(start: number): void {
    while (above[start] === NONE) {
      const path: number[] = [];
      const onPath = new Set<number>();
      let node = start;
      while (node >= 0 && above[node] === NONE && !onPath.has(node)) {
        path.push(node);
        onPath.add(node);
        node = finalParent(node);
      }
      if (onPath.has(node)) {
        breakCircle(path.slice(path.indexOf(node)));
        continue;
      }
      let depth = node === NONE ? -1 : node === TOP ? 0 : (above[node] ?? 0);
      for (const below of path.reverse()) {
        depth += 1;
        if (depth > MOST_EDGES_ABOVE && isLink(below)) {
          // It keeps the parent that it has: look again from there.
          failure[below] = 'ParentTooDeep';
          break;
        }
        above[below] = depth;
      }
    }
  }

  function breakCircle(circle: readonly number[]): void {
    const links = circle.filter(isLink);
    for (const node of links) failure[node] = 'ParentCycle';
    // No hub has one of its own making; whatever it is, it is not followed for ever.
    if (links.length === 0) for (const node of circle) above[node] = 0;
  }

  const isDue = (node: number): boolean => isLink(node) && scopeOfParent(node) !== ownScope[wanted[node] ?? NONE];
  const { levels, level } = levelsOf(nodes, isDue);

  return {
    levels,
    *decided() {
      for (const [node, id] of ids.entries()) {
        if (wanted[node] !== NONE && !isDue(node)) yield [id, failure[node] ?? null] as const;
      }
    },
    linkLine(line) {
      if (isModuleLine(line)) return undefined;
      const node = numberOf.get(line.id);
      if (node === undefined || !isDue(node)) return undefined;
      const scope = ownScope[wanted[node] ?? NONE];
      return scope === undefined ? undefined : { level: level(node), line: linkedLine(line, scope) };
    },
  };
}

/** How many links each level has, and in which of them a link is. */
function levelsOf({ ids, ownScope, above }: Nodes, isDue: (node: number) => boolean) {
  const isEdge = (node: number): boolean => ownScope[node] !== undefined;
  const due = [...ids.keys()].filter(isDue);
  const depths = [...new Set(due.filter(isEdge).map((node) => above[node] ?? 0))].sort((a, b) => a - b);
  // All above a device is in place before the device itself: at no moment is there a circle that is not there at the end.
  const levelOf = new Map(depths.map((depth, at) => [depth, at]));
  // A leaf needs nothing but its parent, so all leaves go first.
  const level = (node: number): number => (isEdge(node) ? (levelOf.get(above[node] ?? 0) ?? 0) : 0);
  const levels = new Array<number>(due.length === 0 ? 0 : Math.max(1, depths.length)).fill(0);
  for (const node of due) levels[level(node)] = (levels[level(node)] ?? 0) + 1;
  return { levels, level };
}

/** The identity as it is, but for its parent; the twin is not touched, and nothing is written over a newer change. */
function linkedLine(line: LinkableLine, parentScope: string): object {
  const { id, eTag, status, statusReason, authentication, capabilities, deviceScope } = line;
  // Written back without its keys, a device would be given new ones.
  if (authentication === undefined || authentication === null) {
    throw new Error('A device cannot be linked to its parent: the registry was read without keys.');
  }
  const scopes = isEdgeLine(line) ? { deviceScope, parentScopes: [parentScope] } : { deviceScope: parentScope };
  return {
    id,
    eTag,
    importMode: 'updateIfMatchETag',
    status,
    statusReason,
    authentication,
    capabilities,
    ...scopes,
  };
}
