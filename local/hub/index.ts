import type { RequestListener } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { lockFolder } from '../stack/lockFolder.ts';
import { makeFolder } from '../stack/makeFolder.ts';
import { createActivity } from './activity.ts';
import { createAdminHandler } from './admin/adminServer.ts';
import { createEventEndpoint } from './amqp/eventEndpoint.ts';
import { createConfigurationApplier } from './configurations/applyConfigurations.ts';
import { createConfigurationStore } from './configurations/configurationStore.ts';
import { createConsistency } from './consistency.ts';
import { emitEvents } from './events/emitEvents.ts';
import { openEventLog } from './events/eventLog.ts';
import { createFaults } from './faults.ts';
import { createRequestHandler } from './http/handleRequest.ts';
import { listen as listenForHttp, onFirstFree } from './http/httpServer.ts';
import type { Hub } from './hub.ts';
import { defaultSettings, demandSettings, type HubOptions, type HubSettings, SETTING_NAMES } from './hubOptions.ts';
import { createJobManager } from './jobs/jobManager.ts';
import { createJobStore } from './jobs/jobStore.ts';
import { connectionStringsOf, eventConnectionString, type PolicyName } from './policies.ts';
import { openDatabase } from './registry/database.ts';
import { createIdentityStore } from './registry/identityStore.ts';
import { loadHub, type SavedHub, saveHub } from './savedHub.ts';
import { seededRandom } from './seededRandom.ts';
import { createThrottles } from './throttles.ts';

export type { FaultSpec } from './faults.ts';
export type { HubOptions, HubSettings } from './hubOptions.ts';
export type { PolicyName } from './policies.ts';

export interface RunningHub {
  readonly name: string;
  /** Of the policy iothubowner. */
  readonly connectionString: string;
  readonly connectionStrings: Readonly<Record<PolicyName, string>>;
  /** Of the Event-Hubs-compatible endpoint, for the policy service; after a failover its EntityPath is another. */
  readonly eventsConnectionString: string;
  readonly adminUrl: string;
  /** Stops serving. Jobs that are active go on when a hub is started on the same data folder. */
  close(): Promise<void>;
}

/**
 * Starts an IoT Hub simulator on 127.0.0.1: the service-side REST surface over plain HTTP, events over plain AMQP, and an
 * admin server.
 * Throws on options that are wrong, on a port that is taken, and on a data folder that another process uses.
 */
export async function startHub(options: HubOptions = {}): Promise<RunningHub> {
  const settings = settingsOf(options);
  const leave = options.data === undefined ? () => undefined : enterFolder(options.data);
  try {
    return await startIn(options, settings, leave);
  } catch (error) {
    leave();
    throw error;
  }
}

/** Makes the data folder if need be, and takes it for this process; returns what gives it back. */
function enterFolder(folder: string): () => void {
  makeFolder(folder);
  return lockFolder(folder, { file: 'hub.lock', one: 'A hub simulator', many: 'hub simulators' });
}

async function startIn(options: HubOptions, settings: HubSettings, leave: () => void): Promise<RunningHub> {
  const saved = loadHub(options.data);
  const name = options.name ?? saved.name;
  const database = openDatabase(options.data);
  const listening: { close(): Promise<void> }[] = [];
  try {
    let hosts: ReadonlySet<string> = new Set();
    let eventHosts: ReadonlySet<string> = new Set();
    const hub = createHub({ options, settings, saved, name, database, eventHosts: () => eventHosts });
    const listen = async (port: number | undefined, before: number, handle: RequestListener) => {
      const server = await onFirstFree(port ? [port] : [before, 0], (at) => listenForHttp(at, handle));
      listening.push(server);
      return server.port;
    };
    const port = await listen(
      options.port,
      saved.port,
      createRequestHandler(hub, () => hosts),
    );
    hosts = hostsOf(name, port);
    const adminPort = await listen(options.adminPort, saved.adminPort, createAdminHandler(hub));
    listening.push(hub.eventEndpoint);
    const { port: eventPort } = await onFirstFree(
      options.eventPort ? [options.eventPort] : [saved.eventPort, 0],
      hub.eventEndpoint.listen,
    );
    eventHosts = hostsOf(name, eventPort);
    saveHub(options.data, { name, policies: saved.policies, port, adminPort, eventPort });
    hub.jobs.resume();
    // One that ended while configurations were on their way.
    void hub.configurationApplier.applyToAll();

    const connectionStrings = connectionStringsOf(saved.policies, `127.0.0.1:${port}`);
    return {
      name,
      connectionString: connectionStrings.iothubowner,
      connectionStrings,
      eventsConnectionString: eventConnectionString(saved.policies, eventPort, hub.events.name),
      adminUrl: `http://127.0.0.1:${adminPort}`,
      close: async () => {
        await Promise.all([...listening, hub.jobs, hub.configurationApplier].map((part) => part.close()));
        database.close();
        leave();
      },
    };
  } catch (error) {
    await Promise.all(listening.map((server) => server.close()));
    database.close();
    throw error;
  }
}

interface HubInput {
  readonly options: HubOptions;
  readonly settings: HubSettings;
  readonly saved: SavedHub;
  readonly name: string;
  readonly database: DatabaseSync;
  /** The names that tokens of the event endpoint may be for. */
  readonly eventHosts: () => ReadonlySet<string>;
}

function createHub({ options, settings, saved, name, database, eventHosts }: HubInput): Hub {
  const now = () => Date.now();
  const store = createIdentityStore(database);
  const configurations = createConfigurationStore(database, store);
  const faults = createFaults(seededRandom(options.seed ?? 1));
  const events = openEventLog(database, store, {
    name: options.eventHubName,
    defaultName: `iothub-ehub-${name}`,
    partitions: options.eventPartitions,
    retention: () => settings.eventRetention,
    now,
  });
  emitEvents(store, events, settings);
  const configurationApplier = createConfigurationApplier(store, configurations, () => ({
    store,
    settings,
    nowMs: now(),
    caller: 'single',
  }));
  const jobs = createJobManager({
    store,
    configurations,
    configurationApplier,
    jobs: createJobStore(database),
    settings,
    faults,
    identityStorage: options.identityStorage,
    now,
  });
  const eventEndpoint = createEventEndpoint({
    hubName: name,
    log: events,
    consumerGroups: ['$Default', ...(options.consumerGroups ?? [])],
    audience: { policies: saved.policies, hosts: eventHosts, now, entraKey: options.entraKey },
  });
  return {
    name,
    policies: saved.policies,
    ...(options.entraKey !== undefined && { entraKey: options.entraKey }),
    settings,
    store,
    configurations,
    configurationApplier,
    jobs,
    faults,
    throttles: createThrottles(settings, now),
    consistency: createConsistency(store, settings, now),
    activity: createActivity(),
    events,
    eventEndpoint,
    now,
  };
}

function settingsOf(options: HubOptions): HubSettings {
  const given: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    if (options[name] !== undefined) given[name] = options[name];
  }
  demandSettings(given);
  return { ...defaultSettings(), ...given };
}

/** The names a token may be for: the hub's own, and the loopback ones, each with and without port. */
function hostsOf(name: string, port: number): ReadonlySet<string> {
  const names = ['127.0.0.1', 'localhost', name, `${name}.azure-devices.net`].map((host) => host.toLowerCase());
  return new Set(names.flatMap((host) => [host, `${host}:${port}`]));
}
