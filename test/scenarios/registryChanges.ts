/** Random changes of a registry, as lines of bulk calls and import jobs: each is one that the hub takes. */

import { createSeededRandom } from './seededRandom.ts';

export interface RegistryChanges {
  /** Of a device each, no two of the same; `merges`: what is null in a twin takes the key away. */
  next(count: number, merges: boolean): readonly object[];
}

interface Device {
  readonly id: string;
  isThere: boolean;
  readonly modules: Set<string>;
}

const MODULES = ['valve', 'meter'] as const;
const SITES = ['faro', 'lagos', 'évora'] as const;
/** What becomes of a device that is there; the rest are changes of its twin. */
const DELETED = 0.03;
const MODULE_MADE = 0.02;
const MODULE_CHANGED = 0.06;
const MODULE_REMOVED = 0.01;

export function createRegistryChanges(seed: number, devices: number): RegistryChanges {
  const random = createSeededRandom(seed);
  const all = Array.from(
    { length: devices },
    (_, at): Device => ({ id: `d${at}`, isThere: false, modules: new Set() }),
  );
  let made = 0;
  let changes = 0;

  const sections = (isWhole: boolean, merges: boolean) => {
    const n = ++changes;
    // What a creation names is there; what a change names is, or is not any more.
    const gone = merges && random.chance(0.3) ? null : { a: n, b: random.int(0, 9) };
    const tags = { site: random.pick(SITES), n, deep: isWhole ? { a: 0, c: n } : gone };
    const desired = {
      interval: random.int(1, 60),
      [`k${random.int(0, 3)}`]: merges && !isWhole ? null : [n, { x: 'ü' }],
    };
    if (isWhole || random.chance(0.4)) return { tags, properties: { desired } };
    return random.chance(0.5) ? { tags } : { properties: { desired } };
  };
  const creation = (device: Device) => {
    device.isThere = true;
    const isDisabled = random.chance(0.1);
    return {
      id: device.id,
      importMode: 'create',
      status: isDisabled ? 'disabled' : 'enabled',
      ...(isDisabled ? { statusReason: `of ${++changes}` } : {}),
      capabilities: { iotEdge: random.chance(0.02) },
      ...sections(true, false),
    };
  };
  const changeOf = (device: Device, merges: boolean): object => {
    if (!device.isThere) return creation(device);
    const { id, modules } = device;
    const line = { id, status: 'enabled' };
    const chance = random.next();
    if (chance < DELETED) {
      device.isThere = false;
      modules.clear();
      return { ...line, importMode: 'delete' };
    }
    const [module] = random.shuffled([...modules]);
    const missing = MODULES.find((name) => !modules.has(name));
    if (chance < DELETED + MODULE_MADE && missing !== undefined) {
      modules.add(missing);
      return { ...line, moduleId: missing, importMode: 'create', ...sections(true, false) };
    }
    if (chance < DELETED + MODULE_MADE + MODULE_CHANGED && module !== undefined) {
      return { ...line, moduleId: module, importMode: 'updateTwin', ...sections(false, merges) };
    }
    if (chance > 1 - MODULE_REMOVED && module !== undefined) {
      modules.delete(module);
      return { ...line, moduleId: module, importMode: 'delete' };
    }
    return { ...line, importMode: 'updateTwin', ...sections(false, merges) };
  };

  return {
    next(count, merges) {
      const picked = new Set<Device>();
      // All are made once, in between the changes of those that are there.
      for (const fresh = all.slice(made, made + Math.floor(count / 2)); fresh.length > 0; ) {
        made += fresh.length;
        for (const device of fresh.splice(0)) picked.add(device);
      }
      while (picked.size < Math.min(count, made)) picked.add(all[random.int(0, made - 1)] as Device);
      return random.shuffled([...picked]).map((device) => changeOf(device, merges));
    },
  };
}
