/** Which identities are meant by names: device ids, or how they begin. */

import type { LineIdentity } from '../registryLines/lineIdentity.ts';
import { sayOnly } from './restoreTexts.ts';

export type Only = (identity: LineIdentity) => boolean;

export interface NamedDevices {
  /** Whether an identity is meant; undefined: all are. */
  readonly only: Only | undefined;
  /** Of what `only` was asked about, nothing has these names. */
  notFound(): NotFound | undefined;
}

/** Names of which there is no device, and what to say of it. */
export interface NotFound extends ReturnType<typeof sayOnly> {
  readonly names: readonly string[];
  /** There is none of any name that was given. */
  readonly all: boolean;
}

/** No id has a backslash: before the star at the end it says that the star is a part of the id. */
const ESCAPED_STAR = '\\*';
const SHOWN_NAMES = 10;

/**
 * @param names device ids, each with its modules; one that ends in `*` stands for all that begin so, one that ends in `\*`
 *   for the id that ends in a star
 */
export function devicesNamed(names: readonly string[] | undefined): NamedDevices {
  if (names === undefined || names.length === 0) return { only: undefined, notFound: () => undefined };
  const isPrefix = (name: string) => name.endsWith('*') && !name.endsWith(ESCAPED_STAR);
  const ids = new Map(names.filter((name) => !isPrefix(name)).map((name) => [idOf(name), name]));
  const prefixes = names.filter(isPrefix).map((name) => ({ name, prefix: name.slice(0, -1) }));
  const found = new Set<string>();
  return {
    only({ id }) {
      const name = ids.get(id) ?? prefixes.find(({ prefix }) => id.startsWith(prefix))?.name;
      if (name === undefined) return false;
      found.add(name);
      return true;
    },
    notFound() {
      const missing = [...new Set(names)].filter((name) => !found.has(name));
      if (missing.length === 0) return undefined;
      return { ...sayOnly('onlyNotFound', { names: shown(missing) }), names: missing, all: found.size === 0 };
    },
  };
}

function idOf(name: string): string {
  return name.endsWith(ESCAPED_STAR) ? `${name.slice(0, -ESCAPED_STAR.length)}*` : name;
}

function shown(names: readonly string[]): string {
  const first = names.slice(0, SHOWN_NAMES).join(', ');
  return names.length > SHOWN_NAMES ? `${first} and ${names.length - SHOWN_NAMES} more` : first;
}
