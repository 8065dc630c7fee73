import { parseHubConnection } from '../../registry/index.ts';

/** The alias of the configured hub of a name that an event gives; undefined: it is none of them. */
export type HubOfName = (name: string) => string | undefined;

/** A hub of a loopback address is a simulator, which has a name that no setting tells. */
const LOOPBACK = /^(?:localhost|127\.|\[::1\])/i;

/** @param hubs connection string or host name by alias */
export function hubOfName(hubs: ReadonlyMap<string, string>): HubOfName {
  const names = new Map<string, string>();
  for (const [alias, text] of hubs) names.set(parseHubConnection(text).hubName.toLowerCase(), alias);
  const [only] = names;
  if (names.size === 1 && only !== undefined && LOOPBACK.test(only[0])) return () => only[1];
  // Events have the name alone; a host name is as good.
  return (name) => names.get(name.split('.', 1)[0]?.toLowerCase() ?? '');
}
