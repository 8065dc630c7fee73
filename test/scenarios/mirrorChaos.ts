/**
 * What may go wrong around the mirror, in a whole stack whose registry changes all the time: nothing is lost, no partition
 * stands still for good, and status tells.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import { partitionOf } from '../../local/hub/events/partitionOf.ts';
import { azuriteConnectionString } from '../../local/stack/azurite.ts';
import { choosePorts } from '../../local/stack/freePort.ts';
import { readPositions } from '../../src/lib/mirror/notes/position.ts';
import type { MirrorStatus } from '../../src/lib/mirror/status/mirrorStatus.ts';
import { MIRROR_CONTAINER } from '../../src/lib/storage/storage.ts';
import { demandRest } from '../helpers/hubRest.ts';
import { type Fate, startProxy } from '../helpers/proxy.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';
import { eventFlow, storageOf } from './eventFlow.ts';
import { mirrorDifferences, mirrorState, registryForMirror } from './mirrorOracle.ts';
import { createRegistryChanges } from './registryChanges.ts';
import { createSeededRandom } from './seededRandom.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** How long each trouble lasts. */
  readonly seconds: number;
  readonly tell?: (text: string) => void;
}

export interface Chaos extends ChaosOptions {
  readonly stack: TestStack;
  /** Changes the registry in a hundred places, or so many hundreds. */
  change(hundreds?: number): Promise<void>;
  /** From now on the requests of host and app to blobs and tables have this fate; undefined: none. */
  setFate(fate: ((service: 'blob' | 'table') => Fate | undefined) | undefined): void;
  status(): Promise<{ readonly status: number; readonly body: MirrorStatus }>;
  /** Waits until no event waits, and the mirror shows the registry. */
  equal(): Promise<void>;
}

const QUERY_LAG_MS = 300;
const DEVICES = 200;
const PARTITIONS = 4;

/** A stack whose host and app reach storage through proxies; a fleet is in its mirror. */
export async function withChaos(options: ChaosOptions, use: (chaos: Chaos) => Promise<void>): Promise<void> {
  let fate: Parameters<Chaos['setFate']>[0];
  const { blob, queue, table } = await choosePorts({}, {});
  const proxies = await Promise.all([startProxy(blob, () => fate?.('blob')), startProxy(table, () => fate?.('table'))]);
  const storage = azuriteConnectionString({ blob: proxies[0].port, queue, table: proxies[1].port });
  const stackOptions = {
    mirror: true,
    unkind: options.seed,
    ports: { blob, queue, table },
    settings: { AzureWebJobsStorage: storage, HUBKEEPER_STORAGE: storage, HUB_TIER: 'S3', HUB_UNITS: '10' },
    hubArgs: ['--query-lag-ms', String(QUERY_LAG_MS)],
  };
  try {
    await withStack(stackOptions, async (stack) => {
      const changes = createRegistryChanges(options.seed, DEVICES);
      const flow = eventFlow(stack);
      const chaos: Chaos = {
        ...options,
        stack,
        setFate: (next) => {
          fate = next;
        },
        async change(hundreds = 1) {
          for (let n = 0; n < hundreds; n += 1)
            await demandRest(stack.rest, 'POST', '/devices', changes.next(100, false));
        },
        status: async () => (await stack.api('GET', 'mirror')) as Awaited<ReturnType<Chaos['status']>>,
        async equal() {
          await flow.until('all events to be taken in', ({ made, taken }) => taken >= made);
          await shown(stack);
        },
      };
      await chaos.change((2 * DEVICES) / 100);
      await chaos.equal();
      await use(chaos);
    });
  } finally {
    fate = undefined;
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}

async function shown(stack: TestStack): Promise<void> {
  let differences: readonly string[] = [];
  try {
    await stack.until('a mirror that shows the registry', async () => {
      // Each look is work for all parts of the stack.
      await sleep(300);
      differences = mirrorDifferences(await mirrorState(stack), registryForMirror(stack.data));
      return differences.length === 0;
    });
  } catch (error) {
    throw new Error(`${differences.length} differ:\n${differences.slice(0, 10).join('\n')}`, { cause: error });
  }
}

/** Requests to the tables fail, after they have done what they were sent for or before; a few come through. */
export async function storeFails({ seed, seconds, change, setFate }: Chaos): Promise<void> {
  const random = createSeededRandom(seed);
  // A request that hangs is waited for, for half a minute.
  const hangs: readonly Fate[] = seconds > 30 ? ['hang'] : [];
  const errors = [{ status: 500 }, { status: 429 }, { status: 503 }, 'cut', 'cutReply', ...hangs] as const;
  const fates: readonly (Fate | undefined)[] = [undefined, ...errors];
  setFate((service) => (service === 'table' ? fates[random.int(0, fates.length - 1)] : undefined));
  await during(seconds, change);
  setFate(undefined);
}

/** Blobs and tables are out of reach, of the app and of the host: positions stay, and status says why it can say nothing. */
export async function storageIsGone({ stack, seconds, change, setFate, status }: Chaos): Promise<void> {
  const positions = async () => JSON.stringify(await readPositions(storageOf(stack), 'MIRROR_EVENTS'));
  setFate(() => 'cut');
  // What has reached storage comes to its end.
  await sleep(500);
  const before = await positions();
  const [told] = await Promise.all([status(), during(seconds, change)]);
  const after = await positions();
  setFate(undefined);
  if (before !== after) throw new Error('A position moved on while storage was gone.');
  const { status: code, body } = told as {
    readonly status: number;
    readonly body: { readonly error?: { readonly code: string } };
  };
  if (code !== 503 || body.error?.code !== 'storageUnavailable') {
    throw new Error(`Status told ${code} ${JSON.stringify(body).slice(0, 300)}.`);
  }
}

/** The hub refuses whatever it is asked for rows that wait. */
export async function hubThrottles({ stack, seconds, change }: Chaos): Promise<void> {
  const faults = ['queryDevices', 'getDevice', 'getTwin'].map((operation) => ({ operation, status: 429 }));
  await admin(stack, 'POST', 'faults', faults);
  await during(seconds, change);
  await admin(stack, 'DELETE', 'faults');
}

/** Works again and again, a second apart. */
async function during(seconds: number, work: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    await work();
    await sleep(Math.min(1_000, Math.max(0, end - Date.now())));
  }
}

/** How many dead letters `strangeEvents` comes to, by code. */
export const STRANGE = {
  notJson: PARTITIONS,
  noDeviceId: PARTITIONS,
  twinTooLarge: PARTITIONS,
  wrongShape: PARTITIONS,
  idsDiffer: PARTITIONS,
};

/** Nobody but the letter with the event itself is to know them: a key, and a signature. */
export const SECRETS = [
  'c2VjcmV0IG9mIGEgc3RyYW5nZSBldmVudC4uLi4uLi4=',
  'sig=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4',
] as const;

/** What no hub sends stands among the events of each partition. */
export async function strangeEvents({ stack, change }: Chaos): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const deviceId = deviceOf(partition);
    const source = { 'iothub-message-source': 'twinChangeEvents' };
    const of = (body: string) => ({
      deviceId,
      properties: { hubName: 'local-hub', opType: 'updateTwin', deviceId, [SECRETS[0]]: SECRETS[1] },
      annotations: { ...source, 'iothub-connection-device-id': deviceId },
      body,
    });
    const events = [
      of(`{"primaryKey":"${SECRETS[0]}","url":"https://a.blob.core.windows.net/c?${SECRETS[1]}`),
      of('{"version":4,"tags":[]}'),
      of('{"deviceId":"another","version":4}'),
      of(JSON.stringify({ version: 1_000, tags: { large: 'x'.repeat(20_000) } })),
      { deviceId, body: '{"version":4}', properties: { opType: 'updateTwin' }, annotations: source },
      { deviceId, body: SECRETS[0], annotations: { 'iothub-message-source': `Telemetry?${SECRETS[1]}` } },
      { deviceId },
    ];
    for (const event of events) await admin(stack, 'POST', 'events/add', event);
  }
  await change();
}

function deviceOf(partition: number): string {
  const ids = Array.from({ length: DEVICES }, (_, at) => `d${at}`);
  return ids.find((id) => partitionOf(id, PARTITIONS) === partition) ?? '';
}

/** The hub fails over: its events go on in another Event Hub, which the app is told of; those that were not read are lost. */
export async function failsOver({ stack, change }: Chaos): Promise<void> {
  await stack.killHost();
  await change();
  const { name } = (await admin(stack, 'POST', 'events/failover')) as { readonly name: string };
  const renamed = stack.eventsConnectionString.replace(/EntityPath=[^;]+/, `EntityPath=${name}`);
  await stack.restartHost({ settings: { MIRROR_EVENTS: renamed } });
  await change();
  const asked = stack.blobs.getContainerClient(MIRROR_CONTAINER).getBlobClient('wanted-reconcile/default');
  await stack.until('a reconcile to be asked for', () => asked.exists());
  // Nobody waits for the minute to be over.
  await fetch(`${stack.adminUrl}/admin/functions/mirrorOnTimer`, { method: 'POST' });
  await stack.until('a reconcile', async () => (await stack.records()).some(({ state }) => state === 'completed'));
}

async function admin(stack: TestStack, method: string, path: string, body: object = {}): Promise<unknown> {
  const reply = await fetch(`${stack.hubAdminUrl}/${path}`, { method, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${method} ${path} of the hub answered ${reply.status}: ${await reply.text()}`);
  return reply.json();
}
