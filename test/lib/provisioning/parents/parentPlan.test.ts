import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  createParentPlanner,
  type LinkableLine,
  linkLines,
  MOST_EDGES_ABOVE,
  type ParentPlan,
  planParents,
} from '../../../../src/lib/provisioning/parents/parentPlan.ts';

const scopeOf = (id: string) => `ms-azure-iot-edge://${id}-638`;
const KEYS = { type: 'sas', symmetricKey: { primaryKey: 'p', secondaryKey: 's' } };

/** A line of the registry; `parent` is the id of the parent that it has. */
function edge(id: string, parent?: string): LinkableLine {
  return {
    ...leaf(id),
    capabilities: { iotEdge: true },
    deviceScope: scopeOf(id),
    ...(parent === undefined ? {} : { parentScopes: [scopeOf(parent)] }),
  };
}
function leaf(id: string, parent?: string): LinkableLine {
  return {
    id,
    eTag: `etag-${id}`,
    status: 'enabled',
    statusReason: '',
    authentication: KEYS,
    capabilities: { iotEdge: false },
    ...(parent === undefined ? {} : { deviceScope: scopeOf(parent), parentScopes: [scopeOf(parent)] }),
  };
}

function plan(wanted: Record<string, string>, registry: readonly LinkableLine[]): ParentPlan {
  const planner = createParentPlanner();
  for (const [id, parent] of Object.entries(wanted)) planner.want(id, parent);
  for (const line of registry) planner.see(line);
  return planner.plan();
}

function failuresOf(made: ParentPlan) {
  return [...made.decided()].filter(([, failure]) => failure !== null);
}

/** Ids by level. */
function levelsOf(made: ParentPlan, registry: readonly LinkableLine[]): string[][] {
  const levels: string[][] = made.levels.map(() => []);
  for (const line of registry) {
    const link = made.linkLine(line);
    if (link !== undefined) levels[link.level]?.push(line.id);
  }
  expect(levels.map((ids) => ids.length)).toEqual(made.levels);
  return levels;
}

describe('the plan of links', () => {
  it('goes from the top down, with all leaves in the first level', () => {
    const registry = ['a', 'b', 'c', 'd'].map((id) => edge(id)).concat(leaf('x'), leaf('y'));
    const made = plan({ d: 'c', x: 'd', b: 'a', c: 'b', y: 'a' }, registry);
    expect(levelsOf(made, registry)).toEqual([['b', 'x', 'y'], ['c'], ['d']]);
    expect(failuresOf(made)).toEqual([]);
  });

  it('leaves out what is right already', () => {
    const registry = [edge('a'), edge('b', 'a'), leaf('x', 'b'), leaf('y', 'a')];
    const made = plan({ b: 'a', x: 'b', y: 'b' }, registry);
    expect([...made.decided()]).toEqual([
      ['b', null],
      ['x', null],
    ]);
    expect(levelsOf(made, registry)).toEqual([['y']]);
    expect(plan({ b: 'a' }, registry).levels).toEqual([]);
  });

  it('links again what was linked to an edge device that was deleted and made anew', () => {
    const stale = { ...leaf('x'), deviceScope: 'ms-azure-iot-edge://a-1', parentScopes: ['ms-azure-iot-edge://a-1'] };
    expect(levelsOf(plan({ x: 'a' }, [edge('a'), stale]), [stale])).toEqual([['x']]);
  });

  it('says why a device cannot be given its parent', () => {
    const registry = [leaf('x'), leaf('y'), leaf('z'), edge('a'), edge('b'), { ...leaf('m'), moduleId: 'gone' }];
    const made = plan({ x: 'nobody', y: 'z', gone: 'a', a: 'b', b: 'a', z: 'a', m: 'a' }, registry);
    expect(Object.fromEntries(failuresOf(made))).toEqual({
      x: 'ParentNotFound',
      y: 'ParentNotEdge',
      gone: 'DeviceNotFound',
      m: 'DeviceNotFound',
      a: 'ParentCycle',
      b: 'ParentCycle',
    });
    // Whoever is below a circle is linked all the same: its parent is there.
    expect(levelsOf(made, registry)).toEqual([['z']]);
  });

  it('finds a circle that is closed by links that are there already', () => {
    const registry = [edge('a'), edge('b', 'a'), edge('c', 'b')];
    expect(Object.fromEntries(failuresOf(plan({ a: 'c' }, registry)))).toEqual({ a: 'ParentCycle' });
  });

  it('has no circle when the link that would close it is moved away', () => {
    const registry = [edge('a'), edge('b', 'a'), edge('c')];
    const made = plan({ b: 'c', a: 'b' }, registry);
    expect(failuresOf(made)).toEqual([]);
    expect(levelsOf(made, registry)).toEqual([['b'], ['a']]);
  });

  it('takes as many levels as a hub does', () => {
    const ids = Array.from({ length: MOST_EDGES_ABOVE + 3 }, (_, index) => `e${index}`);
    const registry = ids.map((id) => edge(id)).concat(leaf('x'));
    const wanted = Object.fromEntries(ids.slice(1).map((id, index) => [id, ids[index] ?? '']));
    const made = plan({ ...wanted, x: 'e5' }, registry);
    expect(failuresOf(made)).toEqual([['e6', 'ParentTooDeep']]);
    expect(levelsOf(made, registry)).toEqual([['e1', 'e7', 'x'], ['e2'], ['e3'], ['e4'], ['e5']]);
  });
});

describe('the line that links a device', () => {
  it('has the identity as it is, with the scope that the parent has, and nothing of the twin', () => {
    const disabled = { ...leaf('x'), status: 'disabled', statusReason: 'lost', twinETag: 't', tags: { a: 1 } };
    const made = plan({ x: 'a', b: 'a' }, [disabled, edge('a'), edge('b')]);
    expect(made.linkLine(disabled)?.line).toEqual({
      id: 'x',
      eTag: 'etag-x',
      importMode: 'updateIfMatchETag',
      status: 'disabled',
      statusReason: 'lost',
      authentication: KEYS,
      capabilities: { iotEdge: false },
      deviceScope: scopeOf('a'),
    });
    expect(made.linkLine(edge('b'))?.line).toMatchObject({
      deviceScope: scopeOf('b'),
      parentScopes: [scopeOf('a')],
    });
    expect(made.linkLine(edge('a'))).toBeUndefined();
  });

  it('is never made of a registry without keys: the device would be given new ones', () => {
    const keyless = { ...leaf('x'), authentication: null };
    const made = plan({ x: 'a' }, [keyless, edge('a')]);
    expect(() => made.linkLine(keyless)).toThrow(/without keys/);
  });
});

it('reads rows and registry as streams', async () => {
  const registry = [edge('a'), leaf('x'), leaf('y')].map((line) => JSON.stringify(line));
  const stream = async function* <T>(values: Iterable<T>) {
    yield* values;
  };
  const made = await planParents(stream([['x', 'a']] as const), stream(registry));
  const links = await Array.fromAsync(linkLines(made, stream(registry)));
  expect(links).toMatchObject([{ level: 0, line: { id: 'x', deviceScope: scopeOf('a') } }]);
});

/** The rules of a hub, as far as links go. */
class Links {
  readonly parents = new Map<string, string>();
  private readonly edges: ReadonlySet<string>;
  constructor(edges: ReadonlySet<string>) {
    this.edges = edges;
  }

  above(id: string | undefined): string[] {
    const found: string[] = [];
    for (let at = id; at !== undefined; at = this.parents.get(at)) found.push(at);
    return found;
  }
  takes(id: string, parent: string): boolean {
    if (!this.edges.has(parent)) return false;
    if (!this.edges.has(id)) return true;
    const above = this.above(parent);
    return !above.includes(id) && above.length <= MOST_EDGES_ABOVE;
  }
}

const EDGES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
const LEAVES = ['x', 'y'];
const anyone = fc.constantFrom(...EDGES, ...LEAVES);
const links = fc.array(fc.tuple(anyone, fc.constantFrom(...EDGES, 'nobody', 'x')), { maxLength: 24 });

it('has an order in which a hub takes every link, whatever was there, and ends with what was wanted', () => {
  let linked = 0;
  let failed = 0;
  fc.assert(
    fc.property(links, links, fc.infiniteStream(fc.nat(1000)), (before, after, random) => {
      const hub = new Links(new Set(EDGES));
      for (const [id, parent] of before) if (id !== parent && hub.takes(id, parent)) hub.parents.set(id, parent);
      const registry = [
        ...EDGES.map((id) => edge(id, hub.parents.get(id))),
        ...LEAVES.map((id) => leaf(id, hub.parents.get(id))),
      ];
      const wanted = Object.fromEntries(after.filter(([id, parent]) => id !== parent));
      const made = plan(wanted, registry);
      const shuffled = registry
        .map((line) => [random.next().value, line] as const)
        .sort(([a], [b]) => a - b)
        .map(([, line]) => line);
      for (const level of levelsOf(made, shuffled)) {
        for (const id of level) {
          const parent = wanted[id] ?? '';
          expect(hub.takes(id, parent)).toBe(true);
          hub.parents.set(id, parent);
          linked += 1;
        }
      }
      const failures = new Map(failuresOf(made));
      for (const [id, parent] of Object.entries(wanted)) {
        const code = failures.get(id);
        if (code === undefined) {
          expect(hub.parents.get(id)).toBe(parent);
          continue;
        }
        failed += 1;
        if (code === 'ParentNotFound') expect(parent).toBe('nobody');
        else if (code === 'ParentNotEdge') expect(parent).toBe('x');
        else expect(EDGES).toContain(id);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(linked).toBeGreaterThan(500);
  expect(failed).toBeGreaterThan(100);
});
