/**
 * The composition root: settings → clients → services. The only place that constructs clients of Azure.
 *
 * Handlers load it, and with it the clients' libraries, when a function is first called: the start of the app waits for none.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCredential } from '@azure/core-auth';
import { settings } from './appSettings.ts';
import { createBackupChecks } from './lib/backup/backupChecks.ts';
import { defined } from './lib/defined.ts';
import { isIdleWork } from './lib/hubJobs/hubJob.ts';
import { createLogger, type Logger } from './lib/logger.ts';
import { hubOfName } from './lib/mirror/events/hubNames.ts';
import type { MirrorContext } from './lib/mirror/events/mirrorContext.ts';
import { createPositionNotes } from './lib/mirror/events/notePosition.ts';
import { createStoreTrouble } from './lib/mirror/events/storeTrouble.ts';
import type { MirrorSettings } from './lib/mirror/mirrorSettings.ts';
import { mirroredHubs } from './lib/mirror/mirrorSettings.ts';
import { reconciledAt } from './lib/mirror/notes/lastReconcile.ts';
import { createCounts } from './lib/mirror/query/counts.ts';
import type { QueryContext } from './lib/mirror/query/listRows.ts';
import { createDamageLog } from './lib/mirror/refresh/damageLog.ts';
import { noteEndingRun } from './lib/mirror/refresh/endedRuns.ts';
import type { RefreshContext } from './lib/mirror/refresh/refreshContext.ts';
import { createMirrorHealth, type MirrorHealth } from './lib/mirror/status/mirrorHealth.ts';
import type { StatusContext } from './lib/mirror/status/mirrorStatus.ts';
import { readEndsBy } from './lib/mirror/status/partitionEnds.ts';
import type { MirrorStore } from './lib/mirror/store/mirrorStore.ts';
import { createTableStore } from './lib/mirror/store/tableStore.ts';
import { applyFileBy } from './lib/provisioning/drop/applyFile.ts';
import { readEffectsBy } from './lib/provisioning/effects/readEffects.ts';
import { isProvisioningIdle } from './lib/provisioning/job/isIdle.ts';
import type { ProvisioningContext, ProvisionRun } from './lib/provisioning/run/provisionRun.ts';
import {
  type CallObserver,
  createRegistryClient,
  parseHubConnection,
  type RegistryClient,
} from './lib/registry/index.ts';
import { RUN_KINDS, type RunRecord, runsOf } from './lib/runKinds.ts';
import { tellOfEndedRun } from './lib/runMetrics.ts';
import type { RunStarter } from './lib/runs/restartRun.ts';
import type { RunBase } from './lib/runs/runRecord.ts';
import { createRunStore } from './lib/runs/runStore.ts';
import { createStorage, MIRROR_CONTAINER, type Storage } from './lib/storage/storage.ts';
import { measure, span } from './lib/telemetry/telemetry.ts';
import { startWork } from './lib/work/startWork.ts';
import { WORK_JOBS, type WorkContext, type WorkRun } from './lib/work/workRun.ts';

export { settings };

/** The library of identities is large, and not loaded before the first token is asked for. */
function credential(clientId?: string): TokenCredential {
  let loading: Promise<TokenCredential> | undefined;
  const load = async (): Promise<TokenCredential> => {
    const { DefaultAzureCredential } = await import('@azure/identity');
    return new DefaultAzureCredential(defined({ managedIdentityClientId: clientId }));
  };
  return {
    async getToken(scopes, options) {
      loading ??= load();
      return (await loading).getToken(scopes, options);
    },
  };
}

export const storage: Storage = createStorage(settings.storage, credential);

/** One app has one identity: the one that reaches storage reaches the hubs too. */
const clientId = settings.storage.kind === 'identity' ? settings.storage.clientId : undefined;

const now = () => new Date();
export const runs = createRunStore(storage, now, RUN_KINDS, tellOfEndedRun);

/** How the backups of all hubs stand. */
export const backupChecks = createBackupChecks({
  storage,
  hubs: [...settings.hubs.keys()],
  schedule: settings.backups.schedule,
  now,
});

let rowsOfMirror: MirrorStore | undefined;

/** Where the rows of the mirror are, opened at its first use; undefined: the mirror is off. */
export function mirrorStore(): MirrorStore | undefined {
  if (settings.mirror === undefined) return undefined;
  // One for all of the process: it remembers the rows that it has read and written lately.
  rowsOfMirror ??= createTableStore(storage.table(settings.mirror.table));
  return rowsOfMirror;
}

/** What the mirror remembers from batch to batch. */
const eventMemory = { positions: createPositionNotes(storage), trouble: createStoreTrouble() };
const damage = createDamageLog();

type MirrorReader = StatusContext & QueryContext;

let readerOfMirror: MirrorReader | undefined;

/** What questions to the mirror are answered with; undefined: it is off. */
export function mirrorReader(): MirrorReader | undefined {
  const store = mirrorStore();
  if (settings.mirror === undefined || store === undefined) return undefined;
  readerOfMirror ??= readerOf(settings.mirror, store);
  return readerOfMirror;
}

function readerOf(mirror: MirrorSettings, store: MirrorStore): MirrorReader {
  const context = { store, hubs: [...settings.hubs.keys()], now, sleep: (ms: number) => sleep(ms) };
  const counts = createCounts({ ...context, container: storage.container(MIRROR_CONTAINER) });
  const readEnds = readEndsBy((id) => credential(id ?? clientId));
  return { ...context, mirror, storage, counts, readEnds, reconciledAt: (alias) => reconciledAt(storage, alias) };
}

/** How the mirror stands, for health; undefined: it is off. */
export const mirrorHealth: (() => Promise<MirrorHealth>) | undefined = healthOfMirror();

function healthOfMirror(): (() => Promise<MirrorHealth>) | undefined {
  const reader = mirrorReader();
  return reader === undefined ? undefined : createMirrorHealth(reader);
}

const hubs = new Map<string, RegistryClient>();

/** The client of a configured hub, made at its first use. */
export function hub(alias: string): RegistryClient {
  let client = hubs.get(alias);
  if (client === undefined) {
    const text = settings.hubs.get(alias);
    if (text === undefined) throw new Error(`No hub "${alias}" is configured.`);
    client = createRegistryClient(
      parseHubConnection(text, () => credential(clientId)),
      { observer: observerOf(alias) },
    );
    hubs.set(alias, client);
  }
  return client;
}

/** Each call to a hub is a span; what it throttles is counted. */
function observerOf(alias: string): CallObserver {
  return {
    call: ({ method, template, hostName }, work) =>
      span(
        `hub ${method} ${template}`,
        {
          isCall: true,
          attributes: {
            'hubkeeper.hub': alias,
            'http.request.method': method,
            'url.template': template,
            'server.address': hostName,
          },
        },
        (tell) => work((status) => tell({ 'http.response.status_code': status })),
      ),
    throttled: () => measure('hubkeeper.throttles', 1, { hub: alias }),
  };
}

/** What a Functions invocation offers for logging. */
interface InvocationLog {
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

export function loggerOf(invocation: InvocationLog): Logger {
  return createLogger((level, message) => invocation[level](message));
}

/** Runs that end hand what they have touched over to the mirror, where there is one. */
const mirrored = settings.mirror && mirroredHubs(settings.mirror, [...settings.hubs.keys()]);
const beforeEnd =
  mirrored &&
  (async (record: RunBase): Promise<void> => {
    if (mirrored.includes(record.hub ?? '')) await noteEndingRun(storage, record);
  });

/** What the steps of any run work with, logging into the given invocation. */
function runContext(invocation: InvocationLog) {
  const context = {
    settings,
    storage,
    hub,
    now,
    sleep: (ms: number) => sleep(ms),
    log: loggerOf(invocation),
    ...defined({ beforeEnd }),
  };
  const provisioningContext: ProvisioningContext = { ...context, runs: runsOf<ProvisionRun>(runs), isIdle };
  function isIdle(record: RunBase): Promise<boolean> {
    const run = record as RunRecord;
    return run.kind === 'provision'
      ? isProvisioningIdle(provisioningContext, run)
      : isIdleWork(provisioningContext, run, WORK_JOBS);
  }
  return { ...context, isIdle };
}

/** The services of provisioning, logging into the given invocation. */
export function provisioning(invocation: InvocationLog): ProvisioningContext {
  return { ...runContext(invocation), runs: runsOf<ProvisionRun>(runs) };
}

/** The services of all other work, which applies files by runs of their own. */
export function working(invocation: InvocationLog, starter: RunStarter): WorkContext {
  const context = { ...runContext(invocation), runs: runsOf<WorkRun>(runs) };
  return {
    ...context,
    start: (work) => startWork(context, starter, work),
    applyFile: applyFileBy(provisioning(invocation), starter),
    readEffects: readEffectsBy(provisioning(invocation)),
  };
}

/** The services of the refresh of the mirror; undefined: the mirror is off. */
export function refreshing(invocation: InvocationLog): RefreshContext | undefined {
  const store = mirrorStore();
  if (store === undefined) return undefined;
  const context = provisioning(invocation);
  return { ...context, runs: runsOf<RunRecord>(runs), store, readEffects: readEffectsBy(context), damage };
}

/** The services that take in events of hubs; undefined: the mirror is off. */
export function mirroring(invocation: InvocationLog): MirrorContext | undefined {
  const store = mirrorStore();
  if (settings.mirror === undefined || store === undefined) return undefined;
  return {
    ...eventMemory,
    store,
    storage,
    sources: settings.mirror.sources,
    hubs: [...settings.hubs.keys()],
    hubOfName: hubOfName(settings.hubs),
    now,
    sleep: (ms: number) => sleep(ms),
    log: loggerOf(invocation),
  };
}
