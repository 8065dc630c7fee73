/** What happens to the devices of a hub, for the benchmark of the mirror: random, and the same for the same seed. */

export interface Key {
  readonly deviceId: string;
  readonly moduleId?: string;
}

type Fields = Readonly<Record<string, unknown>>;

export interface Sections {
  readonly tags?: Fields;
  readonly desired?: Fields;
  readonly reported?: Fields;
}

export interface Happening extends Key {
  /** Ms since the epoch. */
  readonly at: number;
  readonly kind: 'create' | 'delete' | 'update' | 'replace';
  readonly version: number;
  /** Of an update what has changed, else the whole twin. */
  readonly twin: Sections;
}

export interface History {
  /** In the order of their times. */
  readonly happenings: readonly Happening[];
  /** Versions of the twins that are there in the end, by `device` or `device/module`. */
  readonly end: ReadonlyMap<string, number>;
}

/**
 * - `used`: devices are created, get tags, connect and report their state; later they are told something and acknowledge it,
 *   report once more, get other tags or another twin. Some are edge devices with modules; some are deleted, and some of these
 *   come again. What happens to one device comes in bursts, as it does.
 * - `waves`: all devices are created; then each gets other tags, then a third of them other properties, a third another twin,
 *   and a third is deleted. No two events that stand near each other are of one device.
 */
export type Story = 'used' | 'waves';

/** Times grow from one device to the next by so much, on average. */
const MS_A_DEVICE = 10;
const START = Date.UTC(2026, 10, 20, 10);

export function historyOf(story: Story, devices: number, seed: number): History {
  const random = randomOf(seed);
  const tale: Tale = { happenings: [], twins: new Map(), random };
  for (let n = 0; n < devices; n += 1) {
    const deviceId = `${one(random, ['pump-', 'Meter', 'sn.'])}${seed}-${String(n).padStart(6, '0')}`;
    if (story === 'used') useDevice(tale, deviceId, START + random() * devices * MS_A_DEVICE);
    else waveOver(tale, deviceId, { at: START + n, wave: devices, third: n % 3 });
  }
  const end = [...tale.twins].map(([name, { version }]) => [name, version] as const);
  return { happenings: tale.happenings.sort((a, b) => a.at - b.at), end: new Map(end) };
}

interface Tale {
  readonly happenings: Happening[];
  readonly twins: Map<string, Required<Sections> & { readonly version: number }>;
  readonly random: () => number;
}

function tell(
  { happenings, twins }: Tale,
  at: number,
  kind: Happening['kind'],
  key: Key,
  sections: Sections = {},
): void {
  const name = key.moduleId === undefined ? key.deviceId : `${key.deviceId}/${key.moduleId}`;
  const before = twins.get(name) ?? { version: 1, tags: {}, desired: {}, reported: {} };
  const version = kind === 'delete' ? before.version : before.version + 1;
  const { tags = {}, desired = {}, reported = {} } = sections;
  const after = {
    create: { version, tags, desired, reported },
    replace: { version, tags, desired, reported: before.reported },
    delete: before,
    update: {
      version,
      tags: { ...before.tags, ...tags },
      desired: { ...before.desired, ...desired },
      reported: { ...before.reported, ...reported },
    },
  }[kind];
  happenings.push({ at, kind, ...key, version, twin: kind === 'update' ? sections : after });
  if (kind !== 'delete') twins.set(name, after);
  else for (const each of [...twins.keys()]) if (each === name || each.startsWith(`${name}/`)) twins.delete(each);
}

function useDevice(tale: Tale, deviceId: string, begin: number): void {
  const { random } = tale;
  const key = { deviceId };
  let at = begin;
  const later = (seconds: number) => {
    at += 1000 * seconds * (0.2 + random());
    return at;
  };
  const comes = () => {
    tell(tale, at, 'create', key);
    if (random() < 0.7) tell(tale, later(0.3), 'update', key, { tags: tagsOf(random) });
    later(2);
    const reports = 1 + Math.floor(random() * 3);
    for (let n = 0; n < reports; n += 1) tell(tale, later(0.4), 'update', key, { reported: stateOf(random) });
  };
  comes();
  if (random() < 0.08)
    for (const moduleId of ['$edgeAgent', '$edgeHub']) edgeModule(tale, { deviceId, moduleId }, later(0.1));
  for (let bursts = Math.floor(random() * 4); bursts > 0; bursts -= 1) {
    later(15);
    burst(tale, key, later);
  }
  if (random() > 0.2) return;
  tell(tale, later(5), 'delete', key);
  if (random() > 0.2) return;
  later(5);
  comes();
}

function burst(tale: Tale, key: Key, later: (seconds: number) => number): void {
  const { random } = tale;
  const which = random();
  if (which < 0.5) {
    const interval = 10 + Math.floor(random() * 600);
    tell(tale, later(1), 'update', key, { desired: { interval, mode: one(random, ['eco', 'boost']) } });
    tell(tale, later(1), 'update', key, { reported: { interval, ...stateOf(random) } });
  } else if (which < 0.85) {
    const reports = 1 + Math.floor(random() * 3);
    for (let n = 0; n < reports; n += 1) tell(tale, later(0.7), 'update', key, { reported: stateOf(random) });
  } else if (which < 0.95) {
    tell(tale, later(1), 'update', key, { tags: tagsOf(random) });
  } else {
    tell(tale, later(1), 'replace', key, { tags: tagsOf(random), desired: { interval: 60, mode: 'eco' } });
  }
}

function edgeModule(tale: Tale, key: Key, at: number): void {
  tell(tale, at, 'create', key);
  tell(tale, at + 900, 'update', key, { reported: { runtimeStatus: 'running', ...stateOf(tale.random) } });
}

/** @param place its first time, how much later each wave begins, and which third of the devices it is of */
function waveOver(
  tale: Tale,
  deviceId: string,
  { at, wave, third }: { readonly at: number; readonly wave: number; readonly third: number },
): void {
  const { random } = tale;
  const key = { deviceId };
  tell(tale, at, 'create', key);
  tell(tale, at + wave, 'update', key, { tags: tagsOf(random) });
  if (third === 0) tell(tale, at + 2 * wave, 'update', key, { desired: { interval: 30, mode: 'eco' } });
  if (third === 1) tell(tale, at + 2 * wave, 'replace', key, { tags: tagsOf(random), desired: { mode: 'eco' } });
  if (third === 2) tell(tale, at + 2 * wave, 'delete', key);
}

function tagsOf(random: () => number): Fields {
  const floor = Math.floor(random() * 9);
  return {
    site: one(random, ['faro', 'oslo', 'lyon', 'bern']),
    floor,
    owner: { team: 'Büro 7', mail: 'ops@example.com' },
  };
}

function stateOf(random: () => number): Fields {
  const battery = Math.floor(random() * 100) / 100;
  return { battery, firmware: `1.${Math.floor(random() * 9)}.2`, network: { rssi: -40 - Math.floor(random() * 50) } };
}

function one<T>(random: () => number, of: readonly T[]): T {
  return of[Math.floor(random() * of.length)] as T;
}

/** Numerical Recipes, ranqd1. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
