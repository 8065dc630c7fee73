/** Parents of edge devices: exports of some hubs do not tell them, and the extras of a backup, or a query, do. */

import type { RegistryClient } from '../registry/index.ts';
import { isIdentityLine } from '../registryLines/snapshot.ts';
import { memberMap, objectText } from '../textFile/jsonMembers.ts';
import { collectExtras, EXTRAS_START } from './collectExtras.ts';
import type { ExtraLine } from './extraLine.ts';
import type { WorkLimits } from './hubWork.ts';

/** Scopes of the parents of edge devices, by device id; those that have none are not in it. */
export type ParentScopes = ReadonlyMap<string, readonly string[]>;

export async function parentScopesOf(extras: AsyncIterable<ExtraLine> | Iterable<ExtraLine>): Promise<ParentScopes> {
  const scopes = new Map<string, readonly string[]>();
  for await (const extra of extras) {
    if (extra.kind === 'edge' && extra.parentScopes.length > 0) scopes.set(extra.id, extra.parentScopes);
  }
  return scopes;
}

/** A page has a thousand edge devices, and hubs answer 20 a minute at least. */
const LONGEST_QUERY_MS = 5 * 60_000;
const MOST_PAGES = 1_000;

/**
 * Asks the hub for them.
 *
 * @returns undefined when it does not tell all of them in time
 * @throws HubError
 */
export async function liveParentScopes(
  hub: RegistryClient,
  { now, sleep }: Pick<WorkLimits, 'now' | 'sleep'>,
): Promise<ParentScopes | undefined> {
  const limits = { atMost: MOST_PAGES, until: new Date(now().getTime() + LONGEST_QUERY_MS), now, sleep };
  const step = await collectExtras(hub, [], EXTRAS_START, limits);
  if (step.stoppedBy !== undefined) throw step.stoppedBy;
  return step.position.done ? parentScopesOf(step.lines) : undefined;
}

const IS_EDGE = /"iotEdge"\s*:\s*true/;

/** Whether a line is of an edge device whose parent it does not tell, as exports of some hubs have them. */
export function lacksParent(text: string): boolean {
  return isIdentityLine(text) && IS_EDGE.test(text) && !text.includes('"parentScopes"');
}

export async function hasLackOfParents(lines: AsyncIterable<string>): Promise<boolean> {
  for await (const text of lines) if (lacksParent(text)) return true;
  return false;
}

/** Lines with the scopes of parents that they lack. */
export async function* withParents(lines: AsyncIterable<string>, scopes: ParentScopes): AsyncGenerator<string, void> {
  for await (const text of lines) yield scopes.size > 0 && lacksParent(text) ? withParent(text, scopes) : text;
}

function withParent(text: string, scopes: ParentScopes): string {
  const members = memberMap(text);
  const id = JSON.parse(members.get('id') ?? 'null') as string;
  const found = scopes.get(id);
  return found === undefined ? text : objectText(members.set('parentScopes', JSON.stringify(found)));
}
