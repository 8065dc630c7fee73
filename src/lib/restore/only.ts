/** Which identities are meant by names: device ids, or how they begin. */

import type { LineIdentity } from '../registryLines/lineIdentity.ts';

export type Only = (identity: LineIdentity) => boolean;

/**
 * @param names device ids, each with its modules; one that ends in `*` stands for all that begin so
 * @returns undefined: all are meant
 */
export function parseOnly(names: readonly string[] | undefined): Only | undefined {
  if (names === undefined || names.length === 0) return undefined;
  const ids = new Set(names.filter((name) => !name.endsWith('*')));
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return ({ id }) => ids.has(id) || prefixes.some((prefix) => id.startsWith(prefix));
}
