import { join } from 'node:path';
import { AppLoadError } from './appFiles.ts';
import { type AppFunctions, readAppFunctions } from './appFunctions.ts';
import { type BlobListener, startBlobListener } from './blob/blobListener.ts';
import type { HostOptions } from './commandLine.ts';
import { type StorageConnection, storageConnection } from './connections.ts';
import type { DurableEngine, Unkindness } from './contracts.ts';
import { enterDataFolder } from './dataFolder.ts';
import type { EventHubListener } from './eventHub/eventHubListener.ts';
import { chooseHostId } from './hostId.ts';
import { type HostJson, readHostJson } from './hostJson.ts';
import { createDispatcher } from './http/dispatcher.ts';
import { createAuthorization, type HostKeys, loadKeys } from './http/keys.ts';
import { startServer } from './http/server.ts';
import { createInvocations, type Invocations } from './invocations.ts';
import type { HostLog } from './log.ts';
import { readLocalSettings, resolveNames, type Settings, settingsFrom } from './settings.ts';
import { createTimerStatusStore } from './timer/statusStore.ts';
import { startTimer, type TimerListener } from './timer/timerTrigger.ts';
import { createUnkindness } from './unkindness.ts';
import { type LoadedApp, loadApp } from './worker.ts';

export interface RunningHost {
  readonly apiUrl: string;
  readonly adminUrl: string;
  readonly functions: readonly string[];
  /** Addresses of the HTTP functions, as sentences for people. */
  readonly routes: readonly string[];
  /** Takes no new work, gives what runs ten seconds, runs the app's last hooks. */
  stop(): Promise<void>;
}

/** How long a stop waits for running functions. */
const stopPatience = 10_000;

/**
 * Starts the host on an app. The port is taken before the app is loaded, because the app may ask for its own address
 * (`WEBSITE_HOSTNAME`, which durable-functions reads).
 *
 * @throws AppLoadError with every problem of the app, by file or function.
 */
export async function startHost(options: HostOptions, log: HostLog): Promise<RunningHost> {
  const { appDirectory } = options;
  enterDataFolder(options.data, appDirectory);
  const settings = await applySettings(appDirectory);
  const hostJson = await readHostJson(appDirectory, settings);
  if (hostJson.withoutEffect.length > 0) {
    log('info', 'host', `Settings of host.json without effect on this host: ${hostJson.withoutEffect.join(', ')}.`);
  }
  const hostId = chooseHostId(appDirectory, options.hostId, settings);
  const unkind = options.unkind === undefined ? undefined : createUnkindness(options.unkind);
  if (unkind !== undefined) {
    log('warning', 'host', `Unkind mode, seed ${unkind.seed}: --unkind=${unkind.seed} makes the same choices.`);
  }

  const server = await startServer(options.port, log);
  try {
    const address = `127.0.0.1:${server.port}`;
    process.env['WEBSITE_HOSTNAME'] = address;
    // The worker makes the app's folder the current one (azure-functions-nodejs-worker).
    process.chdir(appDirectory);
    const app = await loadApp(appDirectory, { log });
    const functions = checkedFunctions({ app, appDirectory, settings, hostJson, log });
    const names = app.functions.map(({ name }) => name).filter((name) => !functions.disabled.includes(name));
    const keys = await loadKeys(join(options.data, 'keys.json'), names);
    const invocations = createInvocations({
      invoke: app.invoke,
      functions: app.functions,
      timeoutMs: hostJson.functionTimeout,
      log,
    });
    const parts: HostParts = {
      options,
      app,
      functions,
      settings,
      hostJson,
      hostId,
      unkind,
      log,
      invocations,
      keys: options.enableAuth ? keys : undefined,
      baseUrl: `http://${address}`,
    };
    const durable = functions.needsDurable ? await createEngine(parts) : undefined;
    const listeners = await startListeners(parts);
    server.handle(
      createDispatcher({
        hostId,
        httpFunctions: functions.http,
        authorization: createAuthorization(parts.keys),
        invoke: invocations.invoke,
        trigger: (name) => triggerByHand(name, names, listeners.timers),
        durable,
        blobWebhook: listeners.blobs?.webhook,
      }),
    );
    durable?.start();
    for (const name of functions.disabled) {
      log('info', name, 'The function is disabled.');
    }

    const prefix = hostJson.routePrefix === '' ? '' : `/${hostJson.routePrefix}`;
    return {
      apiUrl: `http://${address}${prefix}`,
      adminUrl: `http://${address}/admin`,
      functions: names,
      routes: functions.http.map(({ name, methods, template }) => {
        return `${name}: [${[...methods].join(',')}] http://${address}/${template.text}`;
      }),
      async stop() {
        server.close();
        const stopped = Promise.all([
          ...listeners.timers.map((timer) => timer.stop()),
          listeners.blobs?.stop(),
          listeners.eventHubs?.stop(),
          durable?.stop(),
        ]);
        const stillRunning = await invocations.drain(stopPatience);
        if (stillRunning > 0) {
          log('warning', 'host', `${stillRunning} function(s) still ran after ${stopPatience / 1000} s; leaving them.`);
        }
        await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, stillRunning > 0 ? 1_000 : 5_000))]);
        await app.terminate();
        await server.destroy();
      },
    };
  } catch (error) {
    await server.destroy();
    throw error;
  }
}

/** Everything that the listeners are made from. */
interface HostParts {
  readonly options: HostOptions;
  readonly app: LoadedApp;
  readonly functions: AppFunctions;
  readonly settings: Settings;
  readonly hostJson: HostJson;
  readonly hostId: string;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
  readonly invocations: Invocations;
  readonly keys: HostKeys | undefined;
  readonly baseUrl: string;
}

/** The environment, completed by local.settings.json as `func start` does, also for the app to read. */
async function applySettings(appDirectory: string): Promise<Settings> {
  const local = await readLocalSettings(appDirectory);
  const defaults = { FUNCTIONS_WORKER_RUNTIME: 'node', AZURE_FUNCTIONS_ENVIRONMENT: 'Development' };
  for (const [name, value] of Object.entries({ ...defaults, ...local })) {
    process.env[name] ??= value;
  }
  return settingsFrom(process.env);
}

function checkedFunctions(parts: {
  readonly app: LoadedApp;
  readonly appDirectory: string;
  readonly settings: Settings;
  readonly hostJson: HostJson;
  readonly log: HostLog;
}): AppFunctions {
  const { app, settings, log } = parts;
  const { functions, problems, warnings } = readAppFunctions({
    functions: app.functions,
    capabilities: app.capabilities,
    settings,
    routePrefix: parts.hostJson.routePrefix,
    connect: (name) => storageConnection(name, settings),
  });
  const all = [...problems];
  // Receipts, the queue of blobs, the status of timers and the positions in event hubs live in the host's own storage.
  const users = [...functions.blobs, ...functions.timers.filter((timer) => timer.useMonitor), ...functions.eventHubs];
  if (users.length > 0) {
    try {
      const storage = storageConnection(undefined, settings);
      storage.blobs();
      if (functions.blobs.length > 0) storage.queues();
    } catch (error) {
      const names = users.map(({ name }) => name).join(', ');
      all.push(`the host's own storage, for ${names}: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (all.length > 0) {
    throw new AppLoadError(parts.appDirectory, all);
  }
  for (const warning of warnings) {
    log('warning', 'host', warning);
  }
  if (app.functions.length === 0) {
    log('warning', 'host', 'The app registered no functions.');
  }
  return functions;
}

async function createEngine(parts: HostParts): Promise<DurableEngine> {
  const { options, app, settings, hostJson, keys, unkind } = parts;
  // Loaded only for apps that need it.
  const { createDurableEngine } = await import('./durable/index.ts');
  const hubName = hostJson.durableTask['hubName'] ?? settings.get('WEBSITE_SITE_NAME') ?? 'TestHubName';
  if (typeof hubName !== 'string') {
    throw new Error(`host.json: "extensions.durableTask.hubName" must be a string, not ${JSON.stringify(hubName)}.`);
  }
  const engine = createDurableEngine({
    databasePath: join(options.data, 'durable.sqlite'),
    taskHub: resolveNames(hubName, settings),
    functions: parts.functions.durable,
    invoke: parts.invocations.invoke,
    baseUrl: parts.baseUrl,
    ...(keys && { systemKey: keys.systemKeys.durabletask_extension }),
    hostJson: hostJson.durableTask,
    ...(unkind && { unkind }),
    log: (level, message) => parts.log(level, 'durable', message),
  });
  app.setDurableClientBinding(() => engine.clientBinding());
  return engine;
}

interface Listeners {
  readonly timers: readonly TimerListener[];
  readonly blobs: BlobListener | undefined;
  readonly eventHubs: EventHubListener | undefined;
}

async function startListeners(parts: HostParts): Promise<Listeners> {
  const { functions, settings, hostId, unkind, log, hostJson, options } = parts;
  const { invoke } = parts.invocations;
  const hostStorage = (): StorageConnection => storageConnection(undefined, settings);
  const store = functions.timers.some((timer) => timer.useMonitor)
    ? createTimerStatusStore(hostStorage().blobs().getContainerClient('azure-webjobs-hosts'), hostId)
    : undefined;
  return {
    timers: functions.timers.map((timer) => startTimer({ timer, invoke, store, unkind, log })),
    blobs:
      functions.blobs.length === 0
        ? undefined
        : startBlobListener({
            functions: functions.blobs,
            hostStorage: hostStorage(),
            hostId,
            invoke,
            ...hostJson.blobs,
            scanInterval: options.blobScanMs,
            unkind,
            log,
          }),
    eventHubs: functions.eventHubs.length === 0 ? undefined : await startEventHubs(parts, hostStorage()),
  };
}

async function startEventHubs(parts: HostParts, hostStorage: StorageConnection): Promise<EventHubListener> {
  const { app, functions, hostJson, invocations, options, unkind, log } = parts;
  // Loaded only for apps that need it.
  const { startEventHubListener } = await import('./eventHub/eventHubListener.ts');
  return startEventHubListener({
    functions: functions.eventHubs,
    settings: hostJson.eventHubs,
    hostStorage,
    dataFolder: options.data,
    keepsEmptyEntries: (app.capabilities['IncludeEmptyEntriesInMessagePayload'] ?? '') !== '',
    invoke: invocations.invoke,
    unkind,
    log,
  });
}

function triggerByHand(
  name: string,
  names: readonly string[],
  timers: readonly TimerListener[],
): true | { readonly status: 400 | 404; readonly reason: string } {
  const timer = timers.find(({ functionName }) => functionName.toLowerCase() === name.toLowerCase());
  if (timer !== undefined) {
    timer.triggerNow();
    return true;
  }
  return names.some((known) => known.toLowerCase() === name.toLowerCase())
    ? { status: 400, reason: `Function "${name}" is no timer; this host starts only timers by hand.` }
    : { status: 404, reason: `There is no function "${name}".` };
}
