import { lockFolder } from '../stack/lockFolder.ts';
import { makeFolder } from '../stack/makeFolder.ts';
import { createActivity } from './activity.ts';
import { createAdminHandler } from './admin/adminServer.ts';
import { createConfigurationApplier } from './configurations/applyConfigurations.ts';
import { createConfigurationStore } from './configurations/configurationStore.ts';
import { createConsistency } from './consistency.ts';
import { createFaults } from './faults.ts';
import { createRequestHandler } from './http/handleRequest.ts';
import { listenOnFirstFree } from './http/httpServer.ts';
import type { Hub } from './hub.ts';
import { defaultSettings, demandSettings, type HubOptions, type HubSettings, SETTING_NAMES } from './hubOptions.ts';
import { createJobManager } from './jobs/jobManager.ts';
import { createJobStore } from './jobs/jobStore.ts';
import { connectionStringsOf, type PolicyName } from './policies.ts';
import { openDatabase } from './registry/database.ts';
import { createIdentityStore } from './registry/identityStore.ts';
import { loadHub, saveHub } from './savedHub.ts';
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
  readonly adminUrl: string;
  /** Stops serving. Jobs that are active go on when a hub is started on the same data folder. */
  close(): Promise<void>;
}

/**
 * Starts an IoT Hub simulator on 127.0.0.1: the service-side REST surface over plain HTTP, and an admin server.
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
  const store = createIdentityStore(database);
  const configurations = createConfigurationStore(database, store);
  const jobStore = createJobStore(database);
  const faults = createFaults(seededRandom(options.seed ?? 1));
  const now = () => Date.now();
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
    jobs: jobStore,
    settings,
    faults,
    identityStorage: options.identityStorage,
    now,
  });
  const hub: Hub = {
    name,
    policies: saved.policies,
    settings,
    store,
    configurations,
    configurationApplier,
    jobs,
    faults,
    throttles: createThrottles(settings, now),
    consistency: createConsistency(store, settings, now),
    activity: createActivity(),
    now,
  };

  let hosts: ReadonlySet<string> = new Set();
  const listen = async (wanted: number | undefined, before: number, handle: Parameters<typeof listenOnFirstFree>[1]) =>
    listenOnFirstFree(wanted ? [wanted] : [before, 0], handle);
  const server = await listen(
    options.port,
    saved.port,
    createRequestHandler(hub, () => hosts),
  ).catch((error) => {
    database.close();
    throw error;
  });
  hosts = hostsOf(name, server.port);
  const admin = await listen(options.adminPort, saved.adminPort, createAdminHandler(hub)).catch(async (error) => {
    await server.close();
    database.close();
    throw error;
  });
  saveHub(options.data, { name, policies: saved.policies, port: server.port, adminPort: admin.port });
  jobs.resume();
  // One that ended while configurations were on their way.
  void configurationApplier.applyToAll();

  const connectionStrings = connectionStringsOf(saved.policies, `127.0.0.1:${server.port}`);
  return {
    name,
    connectionString: connectionStrings.iothubowner,
    connectionStrings,
    adminUrl: `http://127.0.0.1:${admin.port}`,
    close: async () => {
      await Promise.all([server.close(), admin.close(), jobs.close(), configurationApplier.close()]);
      database.close();
      leave();
    },
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
