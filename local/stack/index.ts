/**
 * The local stack: Azurite, the hub simulator and the Functions host with the app, each a process of its own, all on the
 * loopback address, all data in one folder. Killed at any moment, the next start on the same folder goes on from there.
 */

import { join, resolve } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { type AzuriteReady, azuriteConnectionString, startAzurite } from './azurite.ts';
import { type Child, describeExit, rotateLog } from './childProcess.ts';
import { childEnvironment } from './environment.ts';
import { chooseHubPorts, choosePorts } from './freePort.ts';
import { type HostReady, readHostKey, startHost } from './host.ts';
import { type HubReady, startHub } from './hub.ts';
import { FIRST_HUB, hubsOfApp, inOrderOfEnd, partOfHub, settingsOfHubs } from './hubs.ts';
import { makeFolder } from './makeFolder.ts';
import { endOrphans } from './orphans.ts';
import { identityOf } from './processIdentity.ts';
import { projectRoot } from './projectRoot.ts';
import { StackError } from './stackError.ts';
import {
  type HubPorts,
  lockData,
  type PartName,
  readStackFile,
  type StackFile,
  type StackHubs,
  type StackPorts,
  writeStackFile,
} from './stackFile.ts';

export { projectRoot } from './projectRoot.ts';
export { StackError } from './stackError.ts';
export {
  findRunningStack,
  type PartName,
  type StackFile,
  type StackHub,
  type StackHubs,
  type StackPorts,
} from './stackFile.ts';

export interface StackOptions {
  /** Folder for everything that the stack keeps; made when missing. */
  readonly data: string;
  /** Folder of the app that the host runs. Default: this project. */
  readonly app?: string;
  /** Ports to insist on. The others are those of the last start while free, else chosen by the system. */
  readonly ports?: Partial<StackPorts>;
  /** Settings for the app, over those of the stack. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly hubName?: string;
  /** Aliases of more hubs, each with a simulator of its own. */
  readonly moreHubs?: readonly string[];
  /** Unkind mode of the host: `true` picks a seed. */
  readonly unkind?: boolean | number;
  /** The API asks for keys, as in Azure. */
  readonly enableAuth?: boolean;
  readonly hubArgs?: readonly string[];
  readonly hostArgs?: readonly string[];
  /** With `--cert` it speaks TLS, which this process must trust, too. */
  readonly azuriteArgs?: readonly string[];
  /** Variables for Azurite alone. */
  readonly azuriteEnvironment?: Readonly<Record<string, string>>;
  /** Variables for the hubs: where they get tokens, say. */
  readonly hubEnvironment?: Readonly<Record<string, string>>;
  /** Told before each part is started. */
  readonly onStarting?: (part: PartName) => void;
  /** Aborting it while the stack starts stops what is up; `startStack` then rejects. */
  readonly signal?: AbortSignal;
}

export interface HostRestart {
  /** Settings over those that the stack was started with. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface Stack {
  readonly data: string;
  readonly storageConnectionString: string;
  /** Of the hub simulator, as its owner. */
  readonly connectionString: string;
  /** Of the hub simulator, by policy. */
  readonly connectionStrings: Readonly<Record<string, string>>;
  /** Of the event endpoint of the hub simulator. */
  readonly eventsConnectionString: string;
  readonly hubAdminUrl: string;
  /** All hubs of the app by alias; what stands above is the first's. */
  readonly hubs: StackHubs;
  readonly apiUrl: string;
  readonly adminUrl: string;
  /** With authentication on: a key that opens the API. */
  readonly apiKey?: string;
  readonly ports: StackPorts;
  readonly logs: Readonly<Record<PartName, string>>;
  /** Process ids of the parts that run now, by name. */
  pids(): Readonly<Record<string, number>>;
  /** Settles when a part ends by itself; the other parts still run. Never rejects. */
  readonly broken: Promise<StackError>;
  /** Stops the host unless it was killed already, and starts it again on the same port and data. */
  restartHost(start?: HostRestart): Promise<void>;
  /** SIGKILL: as a machine that loses power. */
  killHost(): Promise<void>;
  /** Stops host, hub, Azurite, in this order. May be called again. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 120_000;
const GRACE_MS = { host: 30_000, hub: 15_000, azurite: 20_000 } as const;

/**
 * Starts everything and waits until it is ready.
 * @throws StackError saying which part could not be started, with its last words.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const data = resolve(options.data);
  makeFolder(join(data, 'logs'));
  const unlock = lockData(data);
  const running = new Map<PartName, Child<unknown>>();
  const stopParts = async (): Promise<void> => {
    for (const part of inOrderOfEnd([...running.keys()])) {
      await running.get(part)?.stop(part === 'host' || part === 'azurite' ? GRACE_MS[part] : GRACE_MS.hub);
      running.delete(part);
    }
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startParts(data, options, running, { stopParts, unlock });
    } catch (error) {
      await stopParts();
      // Between the choice of a free port and its use somebody else, such as another stack, may have taken it.
      if (attempt < 3 && lostPort(error)) continue;
      unlock();
      throw error;
    }
  }
}

/** The parts say it in their own words. */
function lostPort(error: unknown): boolean {
  return (
    error instanceof StackError && error.kind === 'failure' && /EADDRINUSE|Port \d+ .*is taken/.test(error.message)
  );
}

async function startParts(
  data: string,
  options: StackOptions,
  running: Map<PartName, Child<unknown>>,
  end: { readonly stopParts: () => Promise<void>; readonly unlock: () => void },
): Promise<Stack> {
  const last = readStackFile(data);
  if (last !== undefined) await endOrphans(last);

  let file: StackFile = {
    version: 1,
    ready: false,
    supervisor: identityOf(process.pid),
    parts: {},
    ports: last?.ports ?? {},
    ...(last?.hubPorts === undefined ? {} : { hubPorts: last.hubPorts }),
  };
  const update = (change: Partial<StackFile>): void => {
    file = { ...file, ...change };
    writeStackFile(data, file);
  };
  const recordProcess = (part: PartName, pid: number | undefined): void => {
    const { [part]: _, ...others } = file.parts;
    update({ parts: pid === undefined ? others : { ...others, [part]: identityOf(pid) } });
  };
  // All of them first: a port that is taken is told before anything has been started.
  const wanted = await choosePorts(options.ports ?? {}, last?.ports ?? {});
  const hubPorts = new Map<string, HubPorts>([[FIRST_HUB, wanted]]);
  for (const alias of options.moreHubs ?? []) {
    const given = [wanted, ...hubPorts.values()].flatMap((ports) => Object.values(ports));
    hubPorts.set(alias, await chooseHubPorts(last?.hubPorts?.[alias], given));
  }
  const logOf = (part: PartName): string => join(data, 'logs', `${part}.log`);
  const logs: Stack['logs'] = {
    azurite: logOf('azurite'),
    host: logOf('host'),
    hub: logOf('hub'),
    ...Object.fromEntries([...hubPorts.keys()].map((alias) => [partOfHub(alias), logOf(partOfHub(alias))])),
  };
  for (const log of Object.values(logs)) rotateLog(log);
  const common = (part: PartName) => ({
    logFile: logOf(part),
    readyTimeoutMs: READY_TIMEOUT_MS,
    onSpawn: (pid: number) => recordProcess(part, pid),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

  let reportBroken: (error: StackError) => void = () => undefined;
  const broken = new Promise<StackError>((settle) => {
    reportBroken = settle;
  });
  const watch = <Ready>(part: PartName, child: Child<Ready>): Child<Ready> => {
    running.set(part, child);
    void child.exited.then((exit) => {
      if (running.get(part) === child) running.delete(part);
      if (child.isEnding()) return;
      const lines = child.lastLogLines().map((line) => `  ${line}`);
      reportBroken(
        new StackError(
          [`${child.name} ended by itself (${describeExit(exit)}). Its last words:`, ...lines].join('\n'),
          {
            action: `See ${logOf(part)}; a new start goes on from the data in ${data}.`,
          },
        ),
      );
    });
    return child;
  };

  options.onStarting?.('azurite');
  const azurite = watch(
    'azurite',
    await startAzurite({
      location: join(data, 'azurite'),
      ports: wanted,
      args: options.azuriteArgs ?? [],
      env: childEnvironment(process.env, options.azuriteEnvironment),
      ...common('azurite'),
    }),
  );
  const storageConnectionString = azuriteConnectionString(
    azurite.ready,
    options.azuriteArgs?.includes('--cert') ? 'https' : 'http',
  );
  await createContainers(storageConnectionString, containersOf(options.settings));

  const ready = new Map<string, HubReady>();
  for (const [alias, ports] of hubPorts) {
    const part = partOfHub(alias);
    options.onStarting?.(part);
    const hubStart = {
      data,
      part,
      name: `${options.hubName ?? 'local-hub'}${alias === FIRST_HUB ? '' : `-${alias}`}`,
      ports,
      storageConnectionString,
      args: options.hubArgs ?? [],
      environment: options.hubEnvironment ?? {},
    };
    ready.set(alias, watch(part, await startHub(hubStart, common(part))).ready);
  }
  const first = ready.get(FIRST_HUB);
  if (first === undefined) throw new Error('A stack has a first hub.');
  const { connectionString, connectionStrings, eventsConnectionString, adminUrl: hubAdminUrl } = first;
  const hubs = hubsOfApp(ready, options.settings ?? {});

  options.onStarting?.('host');
  const hostStart = {
    data,
    app: options.app ?? projectRoot(),
    port: wanted.api,
    settings: {
      AzureWebJobsStorage: storageConnectionString,
      HUBKEEPER_STORAGE: storageConnectionString,
      FUNCTIONS_WORKER_RUNTIME: 'node',
      BLOB_BINDING: 'reference',
      DROP_SETTLE_SECONDS: '2',
      ...settingsOfHubs(ready, options.hubArgs ?? []),
      ...options.settings,
    },
    unkind: options.unkind ?? false,
    enableAuth: options.enableAuth ?? false,
    args: options.hostArgs ?? [],
  };
  let host = watch('host', await startHost(hostStart, common('host')));

  const ports = portsOf(azurite.ready, first, host.ready);
  const { apiUrl, adminUrl } = host.ready;
  const apiKey = options.enableAuth ? readHostKey(data) : undefined;
  update({
    ready: true,
    ports,
    hubPorts: { ...last?.hubPorts, ...Object.fromEntries([...hubPorts].slice(1)) },
    storageConnectionString,
    connectionString,
    connectionStrings,
    eventsConnectionString,
    apiUrl,
    adminUrl,
    hubAdminUrl,
    hubs,
    ...(apiKey === undefined ? {} : { apiKey }),
  });

  let stopping: Promise<void> | undefined;
  return {
    data,
    storageConnectionString,
    connectionString,
    connectionStrings,
    eventsConnectionString,
    hubAdminUrl,
    hubs,
    apiUrl,
    adminUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    ports,
    logs,
    broken,
    pids: () => Object.fromEntries([...running].map(([part, child]) => [part, child.pid])),
    async restartHost(restart = {}) {
      await host.stop(GRACE_MS.host);
      const start = {
        ...hostStart,
        settings: { ...hostStart.settings, ...restart.settings },
        args: [...hostStart.args, ...(restart.args ?? [])],
      };
      host = watch('host', await startHost(start, common('host')));
    },
    async killHost() {
      await host.kill();
      recordProcess('host', undefined);
    },
    async stop() {
      stopping ??= (async () => {
        // First of all, so that nobody takes a stack that is going down for one that is up.
        update({ ready: false });
        await end.stopParts();
        update({ parts: {} });
        end.unlock();
      })();
      await stopping;
    },
  };
}

function portsOf(azurite: AzuriteReady, hub: HubReady, host: HostReady): StackPorts {
  const hubHost = /HostName=([^;]+)/.exec(hub.connectionString)?.[1];
  return {
    ...azurite,
    hub: Number(new URL(`http://${hubHost}`).port),
    hubAdmin: Number(new URL(hub.adminUrl).port),
    hubEvents: Number(/Endpoint=sb:\/\/[^:;]+:(\d+)/.exec(hub.eventsConnectionString)?.[1]),
    api: Number(new URL(host.apiUrl).port),
  };
}

function containersOf(settings: StackOptions['settings']): readonly string[] {
  const dropBox = settings?.PROVISION_CONTAINER ?? process.env.PROVISION_CONTAINER;
  return [dropBox || 'provision', 'provision-results', 'hubkeeper-runs', 'registry-backups'];
}

async function createContainers(connectionString: string, names: readonly string[]): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  await Promise.all(names.map((name) => service.getContainerClient(name).createIfNotExists()));
}
