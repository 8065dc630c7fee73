import { evaluate, type Lookup, outputName } from './evaluate.ts';
import type { Path, Projection } from './parseQuery.ts';

interface Accumulator {
  count: number;
  numbers: number;
  sum: number;
  min: number;
  max: number;
}

/** One projected row of a query without aggregates; undefined values are left out. */
export function project(projections: readonly Projection[], lookup: Lookup): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const projection of projections) {
    if (projection.kind !== 'path') continue;
    const value = evaluate(projection.path, lookup);
    if (value !== undefined) row[outputName(projection.path, projection.alias)] = value;
  }
  return row;
}

/** Collects rows into groups; without GROUP BY everything is one group. */
export function createAggregation(projections: readonly Projection[], groupBy: readonly Path[]) {
  const groups = new Map<string, { plain: Record<string, unknown>; totals: Accumulator[] }>();
  const newGroup = (plain: Record<string, unknown>) => ({ plain, totals: projections.map(newAccumulator) });
  return {
    add(lookup: Lookup): void {
      const key = JSON.stringify(groupBy.map((path) => evaluate(path, lookup) ?? ['undefined']));
      let group = groups.get(key);
      if (group === undefined) {
        group = newGroup(project(projections, lookup));
        groups.set(key, group);
      }
      for (const [index, projection] of projections.entries()) {
        const total = group.totals[index];
        if (projection.kind === 'aggregate' && total) accumulate(total, projection.path, lookup);
      }
    },
    results(): Record<string, unknown>[] {
      if (groups.size === 0 && groupBy.length === 0) groups.set('', newGroup({}));
      return [...groups.values()].map(({ plain, totals }) => {
        const row = { ...plain };
        for (const [index, projection] of projections.entries()) {
          const total = totals[index];
          if (projection.kind !== 'aggregate' || total === undefined) continue;
          const value = resultOf(projection.name, total);
          if (value !== undefined) row[projection.alias] = value;
        }
        return row;
      });
    },
  };
}

function newAccumulator(): Accumulator {
  return { count: 0, numbers: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
}

function accumulate(total: Accumulator, path: Path | undefined, lookup: Lookup): void {
  const value = path === undefined ? null : evaluate(path, lookup);
  if (value === undefined) return;
  total.count += 1;
  if (typeof value !== 'number') return;
  total.numbers += 1;
  total.sum += value;
  total.min = Math.min(total.min, value);
  total.max = Math.max(total.max, value);
}

function resultOf(name: 'COUNT' | 'AVG' | 'SUM' | 'MIN' | 'MAX', total: Accumulator): number | undefined {
  if (name === 'COUNT') return total.count;
  if (name === 'SUM') return total.sum;
  if (total.numbers === 0) return undefined;
  if (name === 'AVG') return total.sum / total.numbers;
  return name === 'MIN' ? total.min : total.max;
}
