/** The hubs of a stack: the first, `default`, and more of them under aliases. */

import type { HubReady } from './hub.ts';
import type { PartName, StackHubs } from './stackFile.ts';

export const FIRST_HUB = 'default';

/** The name of a hub's process, data folder and log. */
export function partOfHub(alias: string): 'hub' | `hub-${string}` {
  return alias === FIRST_HUB ? 'hub' : `hub-${alias}`;
}

/** In the order in which parts are ended: nobody loses what it still needs. */
export function inOrderOfEnd(parts: readonly PartName[]): readonly PartName[] {
  const rank = (part: PartName): number => (part === 'host' ? 0 : part === 'azurite' ? 2 : 1);
  return parts.toSorted((a, b) => rank(a) - rank(b));
}

/** What the app is told of the hubs' size: as the simulators were told, which without a tier throttle nothing. */
function hubSizeOf(hubArgs: readonly string[]): readonly [string, string] {
  const given = (flag: string): string | undefined => {
    const at = hubArgs.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
    return at < 0 ? undefined : (hubArgs[at]?.split('=')[1] ?? hubArgs[at + 1]);
  };
  const tier = given('--tier') ?? 'none';
  return tier === 'none' ? ['S3', '10'] : [tier, given('--units') ?? '1'];
}

/** The settings by which the app finds the hubs of the stack. */
export function settingsOfHubs(
  hubs: ReadonlyMap<string, HubReady>,
  hubArgs: readonly string[],
): Readonly<Record<string, string>> {
  const [tier, units] = hubSizeOf(hubArgs);
  const settings = [...hubs].flatMap(([alias, { connectionString, eventsConnectionString }]) => {
    const isFirst = alias === FIRST_HUB;
    const of = isFirst ? '' : `__${alias}`;
    return [
      [`IOTHUB${of}`, connectionString],
      [`HUB_TIER${of}`, tier],
      [`HUB_UNITS${of}`, units],
      // Of several on one address, the name that an event gives does not tell the hub: each source says whose it is.
      [hubs.size === 1 ? 'MIRROR_EVENTS' : `MIRROR_EVENTS_${alias}`, eventsConnectionString],
    ];
  });
  return Object.fromEntries(settings);
}

/** All hubs of the app: those of the stack, but where a setting leads elsewhere. */
export function hubsOfApp(hubs: ReadonlyMap<string, HubReady>, settings: Readonly<Record<string, string>>): StackHubs {
  const named = Object.keys(settings).flatMap((name) => {
    const [found, alias = FIRST_HUB] = /^IOTHUB(?:__([a-z0-9]+))?$/i.exec(name) ?? [];
    return found === undefined ? [] : [[alias.toLowerCase(), {}] as const];
  });
  return { ...Object.fromEntries(hubs), ...Object.fromEntries(named) };
}
