import { setTimeout as sleep } from 'node:timers/promises';

import { createTableStore } from '../../src/lib/mirror/store/tableStore.ts';
import { MIRROR_CONTAINER } from '../../src/lib/storage/storage.ts';
import { hubContainer } from '../helpers/hubContainer.ts';
import { demandRest } from '../helpers/hubRest.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';
import { type EventFlow, eventFlow, LONGEST_MS, storageOf } from './eventFlow.ts';
import { importLines } from './fleet.ts';
import { mirrorDifferences, mirrorState, registryForMirror } from './mirrorOracle.ts';
import { createRegistryChanges } from './registryChanges.ts';
import { createSeededRandom } from './seededRandom.ts';

export interface MirrorRunOptions {
  /** How many events there are to be, at least. */
  readonly events: number;
  readonly devices: number;
  /** How often the host is killed while they flow. */
  readonly kills: number;
  readonly seed: number;
  /** Told now and then how it stands. */
  readonly tell?: (text: string) => void;
}

export interface MirrorRunResult {
  /** The first few differences of mirror and registry, and how many there are. */
  readonly differences: readonly string[];
  readonly differing: number;
  /** What is left in the container of the mirror: parked events, dead letters, notes that ask for something. */
  readonly left: readonly string[];
  /** Reconciles that were asked for: each would hide what events have missed. */
  readonly reconciles: number;
  readonly events: number;
  readonly identities: number;
}

/** Events that the mirror may be behind: it is never idle, and what it reads of the registry is not far ahead of them. */
const MOST_BEHIND = 8_000;
const LINES_OF_CALL = 100;
const LINES_OF_JOB = 1_000;
/** Changes that are made by import jobs, which the hub is told to emit events for. */
const BY_JOB = 0.1;
const REPLAYS = 2;
/** Of all events: so many are sent once more by each replay. */
const REPLAYED = 0.05;
const QUERY_LAG_MS = 500;
const LOOK_MS = 250;

/**
 * Changes a registry at random, by bulk calls and import jobs, while its events flow into the mirror. The host is in unkind
 * mode, which gives a quarter of the batches twice and goes back to older positions, and is killed (SIGKILL) and started
 * again; the event endpoint goes back, too. Queries of the hub lag behind. In the end the mirror is compared with the registry.
 */
export async function mirrorRun(options: MirrorRunOptions): Promise<MirrorRunResult> {
  const { events, seed } = options;
  const hubArgs = [
    ...['--job-events', '--job-enqueue-ms', '0', '--event-retention', String(events)],
    ...['--query-lag-ms', String(QUERY_LAG_MS)],
  ];
  const settings = { HUB_TIER: 'S3', HUB_UNITS: '200' };
  return withStack({ mirror: true, unkind: seed, hubArgs, settings }, async (stack) => {
    const flow = eventFlow(stack, options.tell);
    await Promise.all([changeAll(stack, flow, options), killHosts(stack, flow, options), replay(stack, flow, options)]);
    const { made } = await flow.until('all events to be taken in', ({ made, taken }) => taken >= made);
    await settled(stack, options);
    return { ...(await compared(stack)), events: made };
  });
}

async function changeAll(
  stack: TestStack,
  flow: EventFlow,
  { events, devices, seed }: MirrorRunOptions,
): Promise<void> {
  const random = createSeededRandom(seed);
  const changes = createRegistryChanges(seed, devices);
  const jobs = await hubContainer(stack.blobs);
  for (;;) {
    const { made, taken } = await flow.look();
    if (made >= events) return;
    if (made - taken > MOST_BEHIND) {
      await sleep(LOOK_MS);
      continue;
    }
    const merges = random.chance(0.7);
    await demandAdmin(stack, 'PATCH', 'options', { importTwin: merges ? 'merge' : 'replace' });
    const isJob = random.chance(BY_JOB);
    if (isJob) {
      await importLines(
        stack.rest,
        jobs,
        changes.next(LINES_OF_JOB, merges).map((line) => `${JSON.stringify(line)}\n`),
      );
      continue;
    }
    for (let call = random.int(1, 2 * (LINES_OF_JOB / LINES_OF_CALL)); call > 0; call -= 1) {
      await demandRest(stack.rest, 'POST', '/devices', changes.next(LINES_OF_CALL, merges));
    }
  }
}

async function killHosts(
  stack: TestStack,
  flow: EventFlow,
  { events, kills, seed, tell }: MirrorRunOptions,
): Promise<void> {
  const random = createSeededRandom(seed + 1);
  for (let kill = 1; kill <= kills; kill += 1) {
    await flow.until('events to be made', ({ made }) => made >= (events * kill) / (kills + 1));
    await sleep(random.int(0, 1_000));
    await stack.killHost();
    tell?.(`killed ${kill}`);
    await sleep(random.int(0, 500));
    await stack.restartHost();
  }
}

/** All readers get what they have got before. */
async function replay(stack: TestStack, flow: EventFlow, { events, tell }: MirrorRunOptions): Promise<void> {
  const partitions = 4;
  for (let time = 1; time <= REPLAYS; time += 1) {
    await flow.until('readers', ({ made, read }) => made >= (events * (time - 0.5)) / REPLAYS && read === partitions);
    await demandAdmin(stack, 'POST', 'events/redeliver', { events: Math.ceil((events * REPLAYED) / partitions) });
    tell?.(`replayed ${time}`);
  }
}

/** Waits until no row waits to be read, and no event for the store. */
async function settled(stack: TestStack, { tell }: MirrorRunOptions): Promise<void> {
  const store = createTableStore(storageOf(stack).table('hubkeepermirror'));
  await stack.until(
    'a mirror that wants nothing',
    async () => {
      const wanted = await store.countWanted('default', 1_000_000);
      if (wanted > 0) tell?.(`${wanted} rows wait`);
      return wanted === 0 && (await leftIn(stack)).length === 0;
    },
    LONGEST_MS,
  );
}

const WAITS = /^(parked|dead-letters|runs|wanted-reconcile)\//;

async function leftIn({ blobs }: TestStack): Promise<string[]> {
  const names = await Array.fromAsync(blobs.getContainerClient(MIRROR_CONTAINER).listBlobsFlat(), ({ name }) => name);
  return names.filter((name) => WAITS.test(name));
}

async function compared(stack: TestStack): Promise<Omit<MirrorRunResult, 'events'>> {
  const registry = registryForMirror(stack.data);
  const differences = mirrorDifferences(await mirrorState(stack), registry);
  return {
    differences: differences.slice(0, 10),
    differing: differences.length,
    left: await leftIn(stack),
    reconciles: (await stack.records()).length,
    identities: Object.keys(registry).length,
  };
}

async function demandAdmin(stack: TestStack, method: string, path: string, body: object): Promise<void> {
  const { ok, status } = await fetch(`${stack.hubAdminUrl}/${path}`, { method, body: JSON.stringify(body) });
  if (!ok) throw new Error(`${method} ${path} of the hub answered ${status}.`);
}
