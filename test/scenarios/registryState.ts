import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { demandRest, type HubRest, queryRest } from '../helpers/hubRest.ts';

/**
 * A whole registry, as a fleet means it: read by plain REST, without a line of code of the app. What is not in it is what no
 * hub takes back: ETags, generation ids, times, connection fields, counts of messages, versions and metadata of twins,
 * reported properties, results of metrics, and the scopes as text (they hold ticks of the hub's clock; here stands whose
 * they are).
 */
export interface RegistryState {
  /** By device id. */
  readonly devices: Readonly<Record<string, DeviceState>>;
  /** By `DEVICE / MODULE`. */
  readonly modules: Readonly<Record<string, ModuleState>>;
  /** By id. */
  readonly configurations: Readonly<Record<string, ConfigurationState>>;
}

export interface DeviceState {
  readonly status: string;
  /** '' when there is none. */
  readonly statusReason: string;
  readonly authentication: AuthenticationState;
  readonly iotEdge: boolean;
  /** Device id of the edge device that it is below. */
  readonly parent: string | null;
  readonly tags: object;
  readonly desired: object;
}

export interface ModuleState {
  /** Not told for modules of disabled devices: hubs refuse to answer for these under SAS. */
  readonly managedBy: string | null;
  readonly authentication: AuthenticationState | null;
  readonly tags: object;
  readonly desired: object;
}

export interface AuthenticationState {
  readonly type: string;
  readonly keys: readonly [primary: string, secondary: string] | null;
  readonly thumbprints: readonly [primary: string | null, secondary: string | null] | null;
}

export type ConfigurationState = Readonly<Record<string, unknown>>;

/** Requests under way at a time. */
const AT_ONCE = 16;

/** Container that the hub may write an export to: tells the keys of modules whose devices are disabled. */
export interface ExportPlace {
  readonly url: string;
  read(blobName: string): Promise<string>;
}

export async function registryState(rest: HubRest, place?: ExportPlace): Promise<RegistryState> {
  const devices = await readDevices(rest);
  return {
    devices,
    modules: await readModules(rest, devices, place),
    configurations: await readConfigurations(rest),
  };
}

interface Twin {
  readonly deviceId: string;
  readonly moduleId?: string;
  readonly tags?: object | null;
  readonly properties: { readonly desired: Record<string, unknown> };
}

interface Identity {
  readonly moduleId?: string;
  readonly status: string;
  readonly statusReason?: string | null;
  readonly authentication: Authentication | null;
  readonly capabilities?: { readonly iotEdge: boolean } | null;
  readonly deviceScope?: string | null;
  readonly parentScopes?: readonly string[] | null;
  readonly managedBy?: string | null;
}

interface Authentication {
  readonly type?: string;
  readonly symmetricKey?: { readonly primaryKey?: string | null; readonly secondaryKey?: string | null } | null;
  readonly x509Thumbprint?: {
    readonly primaryThumbprint?: string | null;
    readonly secondaryThumbprint?: string | null;
  } | null;
}

async function readDevices(rest: HubRest): Promise<Record<string, DeviceState>> {
  const twins = await Array.fromAsync(queryRest<Twin>(rest, 'SELECT * FROM devices'));
  const identities = new Map<string, Identity>();
  await eachOf(twins, async ({ deviceId }) => {
    identities.set(deviceId, await demandRest<Identity>(rest, 'GET', `/devices/${encodeURIComponent(deviceId)}`));
  });
  const owners = new Map<string, string>();
  for (const [id, { capabilities, deviceScope }] of identities) {
    if (capabilities?.iotEdge && deviceScope) owners.set(deviceScope, id);
  }
  const states: Record<string, DeviceState> = {};
  for (const twin of twins.sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))) {
    const identity = identities.get(twin.deviceId);
    if (identity === undefined) throw new Error(`The query shows ${twin.deviceId}, and nothing is read of it.`);
    const iotEdge = identity.capabilities?.iotEdge ?? false;
    states[twin.deviceId] = {
      status: identity.status,
      statusReason: identity.statusReason ?? '',
      authentication: authenticationState(identity.authentication),
      iotEdge,
      parent: parentOf(iotEdge ? identity.parentScopes?.[0] : identity.deviceScope, owners),
      ...twinState(twin),
    };
  }
  return states;
}

function parentOf(scope: string | null | undefined, owners: ReadonlyMap<string, string>): string | null {
  if (scope === undefined || scope === null || scope === '') return null;
  // The name of a parent that is gone still stands in the scope.
  return owners.get(scope) ?? `nobody: ${scope.replace(/^[a-z-]+:\/\/|-\d*$/g, '')}`;
}

async function readModules(
  rest: HubRest,
  devices: Readonly<Record<string, DeviceState>>,
  place: ExportPlace | undefined,
): Promise<Record<string, ModuleState>> {
  const twins = await Array.fromAsync(queryRest<Twin>(rest, 'SELECT * FROM devices.modules'));
  const identities = new Map<string, Pick<Identity, 'authentication' | 'managedBy'>>();
  const owners = [...new Set(twins.map(({ deviceId }) => deviceId))];
  const isDisabled = (deviceId: string) => devices[deviceId]?.status === 'disabled';
  await eachOf(
    owners.filter((deviceId) => !isDisabled(deviceId)),
    async (deviceId) => {
      const modules = await demandRest<Identity[]>(rest, 'GET', `/devices/${encodeURIComponent(deviceId)}/modules`);
      for (const module of modules) identities.set(moduleKey(deviceId, module.moduleId), module);
    },
  );
  if (place !== undefined && owners.some(isDisabled)) {
    for (const line of await exportedLines(rest, place)) {
      if (line.moduleId && isDisabled(line.id)) {
        identities.set(moduleKey(line.id, line.moduleId), { authentication: line.authentication, managedBy: null });
      }
    }
  }
  const states: Record<string, ModuleState> = {};
  const keyed = twins.map((twin) => [moduleKey(twin.deviceId, twin.moduleId), twin] as const);
  for (const [key, twin] of keyed.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const identity = identities.get(key);
    states[key] = {
      managedBy: identity?.managedBy || null,
      authentication: identity === undefined ? null : authenticationState(identity.authentication),
      ...twinState(twin),
    };
  }
  return states;
}

interface ExportedLine {
  readonly id: string;
  readonly moduleId?: string | null;
  readonly authentication: Authentication | null;
}

async function exportedLines(rest: HubRest, place: ExportPlace): Promise<ExportedLine[]> {
  const { jobId } = await demandRest<{ jobId: string }>(rest, 'POST', '/jobs/create', {
    type: 'export',
    outputBlobContainerUri: place.url,
    outputBlobName: 'registry-state.txt',
    excludeKeysInExport: false,
  });
  for (;;) {
    const { status } = await demandRest<{ status: string }>(rest, 'GET', `/jobs/${jobId}`);
    if (status === 'completed') break;
    if (status === 'failed' || status === 'cancelled') throw new Error(`The export of the registry has ${status}.`);
    await sleep(100);
  }
  const lines = (await place.read('registry-state.txt')).split(/\r?\n/).filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as ExportedLine);
}

/** What of a configuration a person wrote. */
const CONFIGURATION_FIELDS = ['schemaVersion', 'labels', 'targetCondition', 'priority'] as const;

async function readConfigurations(rest: HubRest): Promise<Record<string, ConfigurationState>> {
  const all = await demandRest<Record<string, unknown>[]>(rest, 'GET', '/configurations?top=1000');
  return Object.fromEntries(
    all.map((configuration) => {
      const metrics = configuration['metrics'] as { queries?: object } | null | undefined;
      const content = (configuration['content'] ?? {}) as Record<string, object | null>;
      const kinds = Object.entries(content).filter(([, kind]) => kind !== null && Object.keys(kind).length > 0);
      return [
        String(configuration['id']),
        {
          ...Object.fromEntries(CONFIGURATION_FIELDS.map((field) => [field, configuration[field] ?? null])),
          labels: configuration['labels'] ?? {},
          content: Object.fromEntries(kinds),
          metrics: metrics?.queries ?? {},
        },
      ];
    }),
  );
}

function authenticationState(authentication: Authentication | null | undefined): AuthenticationState {
  const { symmetricKey, x509Thumbprint } = authentication ?? {};
  const { primaryKey, secondaryKey } = symmetricKey ?? {};
  const thumbprints = [x509Thumbprint?.primaryThumbprint || null, x509Thumbprint?.secondaryThumbprint || null] as const;
  return {
    type: authentication?.type ?? 'none',
    keys: primaryKey && secondaryKey ? [primaryKey, secondaryKey] : null,
    thumbprints: thumbprints.every((thumbprint) => thumbprint === null) ? null : thumbprints,
  };
}

function twinState({ tags, properties }: Twin): { readonly tags: object; readonly desired: object } {
  const { $metadata, $version, ...desired } = properties.desired;
  return { tags: tags ?? {}, desired };
}

function moduleKey(deviceId: string, moduleId = ''): string {
  return `${deviceId} / ${moduleId}`;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Where two registries differ: paths with both values, none when they are equal. Numbers and key order as in JSON. */
export function differences(before: RegistryState, after: RegistryState): string[] {
  const found: string[] = [];
  compare(before, after, '', found);
  return found;
}

function compare(before: unknown, after: unknown, path: string, found: string[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isPlain(before) && isPlain(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(ownValue(before, key), ownValue(after, key), path === '' ? key : `${path}.${key}`, found);
    }
    return;
  }
  found.push(`${path}: ${shown(before)} → ${shown(after)}`);
}

/** A device may be called `constructor`. */
function ownValue(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200);
}
