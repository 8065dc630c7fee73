import { isDeepStrictEqual } from 'node:util';

import type { ConfigurationInput } from '../registry/index.ts';

/** What a line can set of a configuration, as reports name it. */
export type ConfigurationField = 'content' | 'targetCondition' | 'priority' | 'labels' | 'metrics.queries';

/** In what a configuration of a hub differs from a line; the order of keys does not matter, nor absence of a default. */
export function configurationDifferences(
  wanted: ConfigurationInput,
  held: ConfigurationInput,
): readonly ConfigurationField[] {
  const pairs: readonly (readonly [ConfigurationField, unknown, unknown])[] = [
    ['content', wanted.content, held.content],
    ['targetCondition', wanted.targetCondition?.trim() ?? '', held.targetCondition?.trim() ?? ''],
    ['priority', wanted.priority ?? 0, held.priority ?? 0],
    ['labels', wanted.labels ?? {}, held.labels ?? {}],
    ['metrics.queries', wanted.metricQueries ?? {}, held.metricQueries ?? {}],
  ];
  return pairs.filter(([, a, b]) => !isDeepStrictEqual(a, b)).map(([field]) => field);
}
