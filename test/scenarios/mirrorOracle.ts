/** What the mirror has to show of a registry: by its HTTP API on one side, by plain REST of the hub on the other. */

import { isDeepStrictEqual } from 'node:util';

import type { TestStack } from '../helpers/stack.ts';
import { readRegistry } from './readRegistry.ts';
import { registryState } from './registryState.ts';

/** What both sides tell of an identity. */
interface Shown {
  readonly status: string | null;
  readonly statusReason: string;
  readonly edge: boolean;
  readonly parent: string | null;
  readonly tags: object;
  readonly desired: object;
}

interface ApiRow {
  readonly deviceId: string;
  readonly moduleId?: string;
  readonly status?: string;
  readonly statusReason?: string;
  readonly edge?: boolean;
  readonly parent?: string;
  readonly tags: object;
  readonly properties: { readonly desired: object };
}

/** By `DEVICE` or `DEVICE / MODULE`; of a module only its twin counts. */
export type MirrorState = Readonly<Record<string, Partial<Shown>>>;

export async function mirrorState({ api }: Pick<TestStack, 'api'>): Promise<MirrorState> {
  const state: Record<string, Partial<Shown>> = {};
  for (let after: string | undefined; ; ) {
    const from = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const { status, body } = await api('GET', `devices?modules=true&limit=1000${from}`);
    if (status !== 200) throw new Error(`GET devices answered ${status}: ${JSON.stringify(body).slice(0, 300)}`);
    const { rows, next } = body as { readonly rows: readonly ApiRow[]; readonly next?: string };
    for (const row of rows) state[nameOf(row)] = shownRow(row);
    if (next === undefined) return state;
    after = next;
  }
}

function nameOf({ deviceId, moduleId }: ApiRow): string {
  return moduleId === undefined ? deviceId : `${deviceId} / ${moduleId}`;
}

function shownRow({ moduleId, status, statusReason, edge, parent, tags, properties }: ApiRow): Partial<Shown> {
  const { desired } = properties;
  if (moduleId !== undefined) return { tags, desired };
  return {
    status: status ?? null,
    statusReason: statusReason ?? '',
    edge: edge ?? false,
    parent: parent ?? null,
    tags,
    desired,
  };
}

export async function hubStateForMirror({ rest }: Pick<TestStack, 'rest'>): Promise<MirrorState> {
  const { devices, modules } = await registryState(rest);
  const state: Record<string, Partial<Shown>> = {};
  for (const [id, { status, statusReason, iotEdge: edge, parent, tags, desired }] of Object.entries(devices)) {
    state[id] = { status, statusReason, edge, parent, tags, desired };
  }
  for (const [name, { tags, desired }] of Object.entries(modules)) state[name] = { tags, desired };
  return state;
}

/** The same of a registry without parents, from its database: at once, whatever lags. */
export function registryForMirror(stackData: string): MirrorState {
  const state: Record<string, Partial<Shown>> = {};
  for (const [key, { moduleId, status, statusReason, iotEdge, tags, desired }] of readRegistry(stackData)) {
    const twin = { tags, desired };
    state[key] = moduleId === '' ? { status, statusReason, edge: iotEdge, parent: null, ...twin } : twin;
  }
  return state;
}

/** What differs, a line each; none: they are equal. */
export function mirrorDifferences(mirror: MirrorState, hub: MirrorState): string[] {
  const names = new Set([...Object.keys(mirror), ...Object.keys(hub)]);
  return [...names].sort().flatMap((name) => {
    const [shown, there] = [mirror[name], hub[name]];
    if (shown === undefined) return [`${name} is missing`];
    if (there === undefined) return [`${name} is extra`];
    return isDeepStrictEqual(shown, there)
      ? []
      : [`${name} shows ${JSON.stringify(shown)} and is ${JSON.stringify(there)}`];
  });
}
