import { setImmediate as nextTurn } from 'node:timers/promises';
import { HubError } from '../http/hubError.ts';
import type { RegistryContext } from '../identity/identityRules.ts';
import { type Lookup, lookupIn } from '../query/evaluate.ts';
import type { IdentityRow } from '../registry/identityRow.ts';
import type { IdentityStore } from '../registry/identityStore.ts';
import { replaceTwinParts } from '../twin/twinColumns.ts';
import { isJsonObject, type JsonObject } from '../twin/twinLimits.ts';
import type { ConfigurationRow, ConfigurationStore } from './configurationStore.ts';
import { isLayered, withContent, withoutContent } from './desiredContent.ts';
import { writeEdgeContent } from './edgeContent.ts';
import { parseTargetCondition } from './targetCondition.ts';

/** Applies configurations to the twins that they target. */
export interface ConfigurationApplier {
  /** Goes through all devices; resolves when the configurations of now are applied to each. */
  applyToAll(): Promise<void>;
  /** Stops going through the devices: the hub goes on with it when it starts again. */
  close(): Promise<void>;
}

interface Plan {
  readonly id: string;
  readonly priority: number;
  readonly content: JsonObject;
  readonly isLayer: boolean;
  readonly matches: (lookup: Lookup) => boolean;
}

/** The configurations by kind, the one that prevails first. */
interface Plans {
  readonly devices: readonly Plan[];
  readonly modules: readonly Plan[];
  readonly edge: readonly Plan[];
}

type Statuses = Readonly<Record<string, { readonly status: 'Applied' | 'Targeted' }>>;

const DEVICES_AT_ONCE = 100;

/**
 * Twins that a transaction creates, or whose tags or reported properties it changes, have their configurations when it is
 * committed; a hub does the same within minutes (Azure docs, "Automatic device and module management"). Without
 * configurations a write costs nothing more. Desired properties that somebody changes afterwards stay as they are.
 */
export function createConfigurationApplier(
  store: IdentityStore,
  configurations: ConfigurationStore,
  context: () => RegistryContext,
): ConfigurationApplier {
  let plans: Plans | undefined;
  let closed = false;
  const running = new Set<Promise<void>>();
  const changed = new Set<string>();
  const current = () => {
    plans ??= planAll(configurations.list());
    return plans;
  };

  configurations.onWrite(() => {
    plans = undefined;
  });
  store.onWrite((before, after) => {
    if (after === undefined || isEmpty(current())) return;
    const matters =
      before === undefined ||
      before.tags !== after.tags ||
      before.reported !== after.reported ||
      before.iotEdge !== after.iotEdge;
    if (matters) changed.add(after.deviceId);
  });
  store.follow({
    beforeCommit: () => {
      // Modules that a deployment makes join the set while it is gone through: they may be targeted, too.
      for (const deviceId of changed) {
        changed.delete(deviceId);
        const device = store.find(deviceId);
        if (device !== undefined) applyToDevice(context(), current(), device);
      }
    },
    rolledBack: () => {
      changed.clear();
      plans = undefined;
    },
  });

  const goThroughAll = async () => {
    for (let after = 0; !closed && !isEmpty(current()); ) {
      const rows = store.page('devices', after, DEVICES_AT_ONCE);
      const last = rows.at(-1);
      if (last === undefined) return;
      store.transaction(() => {
        for (const device of rows) applyToDevice(context(), current(), device);
      });
      after = last.seq;
      await nextTurn();
    }
  };

  return {
    applyToAll: () => {
      const pass = goThroughAll().finally(() => running.delete(pass));
      running.add(pass);
      return pass;
    },
    close: async () => {
      closed = true;
      await Promise.allSettled(running);
    },
  };
}

function isEmpty({ devices, modules, edge }: Plans): boolean {
  return devices.length === 0 && modules.length === 0 && edge.length === 0;
}

/** The highest priority prevails, among equals the configuration that was created last. */
function planAll(rows: readonly ConfigurationRow[]): Plans {
  const sorted = [...rows].sort(
    ({ document: a }, { document: b }) =>
      b.priority - a.priority || b.createdTimeUtc.localeCompare(a.createdTimeUtc, 'en'),
  );
  const ofKind = (kind: string) =>
    sorted.flatMap(({ id, document }): Plan[] => {
      const content = document.content[kind];
      if (!isJsonObject(content)) return [];
      const { matches } = parseTargetCondition(document.targetCondition, document.content);
      const isLayer = kind === 'modulesContent' && isLayered(content);
      return [{ id, priority: document.priority, content, isLayer, matches }];
    });
  return { devices: ofKind('deviceContent'), modules: ofKind('moduleContent'), edge: ofKind('modulesContent') };
}

function applyToDevice(context: RegistryContext, plans: Plans, device: IdentityRow): void {
  if (plans.devices.length > 0) applyToTwin(context, plans.devices, device);
  if (plans.edge.length > 0 && device.iotEdge === 1) applyToEdgeDevice(context, plans.edge, device);
  if (plans.modules.length === 0) return;
  for (const module of context.store.modulesOf(device.deviceId)) {
    if (!module.moduleId.startsWith('$')) applyToTwin(context, plans.modules, module);
  }
}

/**
 * One configuration applies to a twin. When another takes over, or none, what it had set goes; a configuration that was
 * deleted leaves its settings behind.
 */
function applyToTwin(context: RegistryContext, plans: readonly Plan[], row: IdentityRow): void {
  const lookup = lookupIn(row);
  const targeted = plans.filter((plan) => plan.matches(lookup));
  const [formerId] = appliedIds(statusesOf(row));
  const [winner] = targeted;
  if (winner?.id === formerId) {
    writeStatuses(context, row, targeted, winner ? [winner] : []);
    return;
  }
  const former = plans.find(({ id }) => id === formerId);
  let desired: JsonObject = JSON.parse(row.desired);
  if (former !== undefined) desired = withoutContent(desired, former.content);
  if (winner !== undefined) desired = withContent(desired, winner.content);
  const written = attempt(() => ({ ...row, ...replaceTwinParts(row, { desired }, context.nowMs) }));
  if (written !== undefined) context.store.update(row, written);
  writeStatuses(context, written ?? row, targeted, written && winner ? [winner] : []);
}

/**
 * One deployment applies to an edge device, and above it every layered one of a higher priority, the highest last. The
 * status is that of `$edgeAgent`. A deployment that goes leaves its modules as they are.
 */
function applyToEdgeDevice(context: RegistryContext, plans: readonly Plan[], device: IdentityRow): void {
  const lookup = lookupIn(device);
  const targeted = plans.filter((plan) => plan.matches(lookup));
  const base = targeted.find(({ isLayer }) => !isLayer);
  const layers = targeted.filter(({ isLayer, priority }) => isLayer && base && priority > base.priority);
  let applied = base === undefined ? [] : [base, ...layers.reverse()];
  const agent = context.store.find(device.deviceId, '$edgeAgent');
  if (agent === undefined) return;
  const before = appliedIds(statusesOf(agent));
  const now = appliedIds(statusesFrom(targeted, applied) ?? {});
  if (applied.length > 0 && before.join('\n') !== now.join('\n')) {
    const contents = applied.map(({ content }) => content);
    const done = attempt(() => {
      writeEdgeContent(context, device, contents);
      return true;
    });
    if (done === undefined) applied = [];
  }
  writeStatuses(context, context.store.find(device.deviceId, '$edgeAgent') ?? agent, targeted, applied);
}

/** What a twin's limits or the quota refuse is targeted, and not applied. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof HubError) return undefined;
    throw error;
  }
}

function statusesOf(row: IdentityRow): Statuses {
  return row.configurations === null ? {} : JSON.parse(row.configurations);
}

function appliedIds(statuses: Statuses): string[] {
  return Object.keys(statuses).filter((id) => statuses[id]?.status === 'Applied');
}

/** In the order in which they were applied, the others behind them. */
function statusesFrom(targeted: readonly Plan[], applied: readonly Plan[]): Statuses | undefined {
  if (targeted.length === 0) return undefined;
  const others = targeted.filter((plan) => !applied.includes(plan));
  return Object.fromEntries([
    ...applied.map(({ id }) => [id, { status: 'Applied' }] as const),
    ...others.map(({ id }) => [id, { status: 'Targeted' }] as const),
  ]);
}

function writeStatuses(
  { store }: RegistryContext,
  row: IdentityRow,
  targeted: readonly Plan[],
  applied: readonly Plan[],
): void {
  const statuses = statusesFrom(targeted, applied);
  const configurations = statuses === undefined ? null : JSON.stringify(statuses);
  if (configurations !== row.configurations) store.update(row, { ...row, configurations });
}
