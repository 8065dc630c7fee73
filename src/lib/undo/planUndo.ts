/**
 * What an undo does to each identity that a run has touched, or that went along: what the run did, the pre-image and the
 * hub as it is now are spread over buckets by device id, and decided bucket by bucket, so that memory stays flat.
 */

import {
  createIdentityHash,
  createIdentityTable,
  type IdentityTable,
  identityOf,
} from '../devicesFile/identityTable.ts';
import { MODE_RULES } from '../devicesFile/importMode.ts';
import type { ConfigurationInput } from '../registry/index.ts';
import { createValueTable } from '../registryExtras/valueTable.ts';
import { ownScopeOf } from '../registryLines/goesWith.ts';
import { verifiedIdentityOf } from '../registryLines/lineIdentity.ts';
import type { Spill } from '../registryLines/spill.ts';
import { SpillFolder } from '../registryLines/spillFolder.ts';
import type { EffectLine, ModuleManager, RunEffects } from '../runs/runEffects.ts';
import { configuredBy } from './configured.ts';
import { type DeviceGroup, decideGroup, type UndoFacts, type UndoneIdentity } from './decideGroup.ts';
import { parentIn } from './parentIn.ts';

/** Lines of a registry, read once. */
export interface RegistryLines {
  lines(): AsyncIterable<string>;
}

export interface UndoSources {
  readonly effects: Pick<RunEffects, 'lines' | 'preImage'>;
  /** The lines of the pre-image; absent: the run could only create. */
  readonly before?: RegistryLines;
  /** What is known of managers beside the pre-image. Default: nothing. */
  readonly managers?: AsyncIterable<ModuleManager> | Iterable<ModuleManager>;
  /** All that the run has touched as it is now, and what hangs on it: see `readLive`. */
  readonly live: RegistryLines;
  /** Those that may have been at work on the devices. Default: none. */
  readonly configurations?: readonly Pick<ConfigurationInput, 'content'>[];
}

export interface PlanOptions {
  /** A folder of its own is made in there, which nobody else may read, and removed in the end. */
  readonly folder: string;
  /** What others have changed since is put back, too. */
  readonly force: boolean;
  readonly buckets?: number;
  readonly signal?: AbortSignal;
}

const BUCKETS = 64;

/**
 * Each identity once, also those with which nothing is to be done; the modules of a device come before it.
 *
 * @throws SnapshotLost, the signal's reason; what reading the sources throws; HubKeeperError when the folder is full
 */
export async function* planUndo(sources: UndoSources, options: PlanOptions): AsyncGenerator<UndoneIdentity, void> {
  const { folder, force, buckets = BUCKETS, signal } = options;
  const spills = await SpillFolder.make({ within: folder, purpose: 'undo' });
  try {
    const spill = await spills.open('rows', buckets);
    const facts = await spreadAll(sources, spill, buckets, signal);
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      signal?.throwIfAborted();
      for (const group of groupsIn(await spill.read(bucket))) {
        yield* decideGroup(group, facts, { force });
      }
    }
  } finally {
    await spills.remove();
  }
}

async function spreadAll(
  { effects, before, live, managers = [], configurations = [] }: UndoSources,
  spill: Spill,
  buckets: number,
  signal: AbortSignal | undefined,
): Promise<UndoFacts> {
  const touched = createIdentityTable();
  const ended = createIdentityTable();
  const made = createIdentityTable();
  const scopes = new Map<string, string>();
  const otherChildren = new Set<string>();
  const hash = createIdentityHash();
  const hashed = new Uint32Array(4);
  const add = async (kind: RowKind, id: string, moduleId: string, text: string): Promise<void> => {
    hash(id, hashed);
    const wait = spill.add((hashed[0] ?? 0) % buckets, `${kind}\t${id}\t${moduleId}\t${text}`);
    if (wait === undefined) return;
    await wait;
    signal?.throwIfAborted();
  };

  for await (const line of effects.lines()) {
    const { id, moduleId = '', applied } = line;
    touched.claim(id, 1);
    if (moduleId === '' && applied !== 'no') {
      const ends = endsBy(line);
      if (ends !== undefined) ended.claim(id, ends + (applied === 'yes' ? YES : MAYBE));
      if (MODE_RULES[line.mode].mayCreate) made.claim(id, 1);
    }
    const { mode, text, parent } = line;
    await add(
      'line',
      id,
      moduleId,
      JSON.stringify({ mode, text, applied, ...(parent === undefined ? {} : { parent }) }),
    );
  }
  for await (const text of before?.lines() ?? []) {
    const { id, moduleId = '' } = identityIn(text);
    const parent = moduleId === '' ? parentIn(text) : undefined;
    const isUnlinked = parent !== undefined && ended.find(parent) !== 0;
    if (isUnlinked) touched.claim(id, 1);
    if (isUnlinked || touched.find(id) !== 0) await add('before', id, moduleId, text);
  }
  for await (const text of live.lines()) {
    const { id, moduleId = '' } = identityIn(text);
    if (touched.find(id) === 0) {
      const parent = moduleId === '' ? parentIn(text) : undefined;
      if (parent !== undefined && made.find(parent) !== 0) otherChildren.add(parent);
      continue;
    }
    await add('live', id, moduleId, text);
    if (moduleId !== '' || ended.find(id) === 0) continue;
    const scope = ownScopeOf(JSON.parse(text) as Readonly<Record<string, unknown>>);
    if (scope !== undefined) scopes.set(id, scope);
  }
  return {
    ...factsOf(ended, scopes, otherChildren, effects.preImage?.way),
    managerOf: await managersBy(managers, effects.preImage?.way),
    isConfigured: configuredBy(configurations),
  };
}

// How a device was ended: by what, and whether for certain.
const YES = 1;
const MAYBE = 2;
const DELETED = 0;
const LEAF = 2;

function factsOf(
  ended: IdentityTable,
  scopes: ReadonlyMap<string, string>,
  otherChildren: ReadonlySet<string>,
  way: 'single' | 'export' | undefined,
): Omit<UndoFacts, 'isConfigured' | 'managerOf'> {
  return {
    ended(id) {
      const how = ended.find(id);
      return how === 0 ? undefined : how % 2 === YES ? 'yes' : 'maybe';
    },
    isDeleted: (id) => [DELETED + YES, DELETED + MAYBE].includes(ended.find(id)),
    scopeNow: (id) => scopes.get(id),
    hasOtherChildren: (id) => otherChildren.has(id),
    // Of lines that only create nothing is read singly.
    isBeforeKnown: (mode) => way === 'export' || (way === 'single' && MODE_RULES[mode].present !== 'failsExists'),
  };
}

async function managersBy(
  managers: AsyncIterable<ModuleManager> | Iterable<ModuleManager>,
  way: 'single' | 'export' | undefined,
): Promise<UndoFacts['managerOf']> {
  // Read singly, a module that nobody manages says nothing of it.
  if (way === 'single') return () => null;
  const known = createValueTable<string | null>();
  for await (const module of managers) known.set(identityOf(module), module.managedBy);
  return (module) => known.find(identityOf(module));
}

/** Whether a line deletes a device, or can make it an edge device no more. */
function endsBy({ mode, text }: EffectLine): number | undefined {
  const { deletes, mayOverwrite } = MODE_RULES[mode];
  if (deletes) return DELETED;
  return mayOverwrite && /"iotEdge":\s*false/.test(text) ? LEAF : undefined;
}

function identityIn(text: string): { readonly id: string; readonly moduleId?: string } {
  const identity = verifiedIdentityOf(text);
  if ('code' in identity) throw new Error('A line of a snapshot is of no identity.');
  return identity;
}

type RowKind = 'line' | 'before' | 'live';

function groupsIn(rows: readonly string[]): Iterable<DeviceGroup> {
  const groups = new Map<string, DeviceGroup>();
  for (const row of rows) {
    const [kind = '', id = '', moduleId = ''] = row.split('\t', 3);
    const text = row.slice(kind.length + id.length + moduleId.length + 3);
    let group = groups.get(id);
    if (group === undefined) {
      group = { id, identities: new Map() };
      groups.set(id, group);
    }
    const known = group.identities.get(moduleId) ?? {};
    group.identities.set(moduleId, { ...known, [kind]: text });
  }
  return groups.values();
}
