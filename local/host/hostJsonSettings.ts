/**
 * What this host makes of each setting of host.json (https://learn.microsoft.com/azure/azure-functions/functions-host-json,
 * …/durable/durable-functions-host-json-settings): it obeys it, has no use for it, or refuses it. Nothing passes unseen.
 */

/** Settings that this host obeys, with what a text in their place (an app setting is always one) is read as. */
const OBEYED: Readonly<Record<string, 'text' | 'number'>> = {
  version: 'text',
  functionTimeout: 'text',
  'extensions.http.routePrefix': 'text',
  'extensions.blobs.maxDegreeOfParallelism': 'number',
  'extensions.blobs.poisonBlobThreshold': 'number',
  'extensions.eventHubs.maxEventBatchSize': 'number',
  'extensions.eventHubs.minEventBatchSize': 'number',
  'extensions.eventHubs.maxWaitTime': 'text',
  'extensions.eventHubs.batchCheckpointFrequency': 'number',
  'extensions.eventHubs.enableCheckpointing': 'text',
  'extensions.eventHubs.prefetchCount': 'number',
  'extensions.eventHubs.initialOffsetOptions.type': 'text',
  'extensions.eventHubs.initialOffsetOptions.enqueuedTimeUtc': 'text',
  'extensions.eventHubs.clientRetryOptions.mode': 'text',
  'extensions.eventHubs.clientRetryOptions.maximumRetries': 'number',
  'extensions.eventHubs.clientRetryOptions.delay': 'text',
  'extensions.eventHubs.clientRetryOptions.maximumDelay': 'text',
  'extensions.eventHubs.clientRetryOptions.tryTimeout': 'text',
  'extensions.eventHubs.partitionOwnershipExpirationInterval': 'text',
  'extensions.eventHubs.loadBalancingUpdateInterval': 'text',
  'extensions.eventHubs.customEndpointAddress': 'text',
  'extensions.durableTask.hubName': 'text',
  'extensions.durableTask.defaultVersion': 'text',
  'extensions.durableTask.maxConcurrentActivityFunctions': 'number',
  'extensions.durableTask.maxConcurrentOrchestratorFunctions': 'number',
  'extensions.durableTask.maxConcurrentEntityFunctions': 'number',
  'extensions.durableTask.maxEntityOperationBatchSize': 'number',
};

/** Settings without effect here; `*` at the end stands for all below. They tune, or watch, what this host does not have. */
const WITHOUT_EFFECT: readonly string[] = [
  'aggregator.*',
  'concurrency.*',
  'extensionBundle.*',
  'healthMonitor.*',
  // The level of this host's log is its option --log-level.
  'logging.*',
  'managedDependency.*',
  'retry.*',
  'sendCanceledInvocationsToWorker',
  'singleton.*',
  'telemetryMode',
  'watchDirectories',
  'watchDirectories.*',
  'watchFiles',
  'watchFiles.*',
  'extensions.http.customHeaders.*',
  'extensions.http.dynamicThrottlesEnabled',
  'extensions.http.hsts.*',
  'extensions.http.maxConcurrentRequests',
  'extensions.http.maxOutstandingRequests',
  'extensions.eventHubs.prefetchSizeInBytes',
  'extensions.eventHubs.targetUnprocessedEventThreshold',
  'extensions.eventHubs.trackLastEnqueuedEventProperties',
  ...[
    'appLeaseOptions.*',
    'entityMessageReorderWindowInMinutes',
    'extendedSessionIdleTimeoutInSeconds',
    'extendedSessionsEnabled',
    'grpcHttpClientTimeout',
    'httpSettings.defaultAsyncRequestSleepTimeMilliseconds',
    'localRpcEndpointEnabled',
    'maxGrpcMessageSizeInBytes',
    'maxOrchestrationActions',
    'notificationUrl',
    'notifications.*',
    'overridableExistingInstanceStates',
    'rollbackEntityOperationsOnExceptions',
    'storeInputsInOrchestrationHistory',
    'throwStatusExceptionsOnRaiseEvent',
    'tracing.*',
    'useAppLease',
    'useGracefulShutdown',
    'versionFailureStrategy',
    'versionMatchStrategy',
    // Durable state of this host is one file.
    ...[
      'allowReplayingTerminalInstances',
      'connectionName',
      'connectionStringName',
      'controlQueueBatchSize',
      'controlQueueBufferThreshold',
      'controlQueueVisibilityTimeout',
      'fetchLargeMessagesAutomatically',
      'maxQueuePollingInterval',
      'partitionCount',
      'partitionTableOperationTimeout',
      'queueClientMessageEncoding',
      'trackingStoreConnectionName',
      'trackingStoreConnectionStringName',
      'trackingStoreNamePrefix',
      'type',
      'useInstanceTableEtag',
      'useLegacyPartitionManagement',
      'useTablePartitionManagement',
      'workItemQueueVisibilityTimeout',
    ].map((name) => `storageProvider.${name}`),
  ].map((name) => `extensions.durableTask.${name}`),
];

/** Settings that an app may count on for what it does: values for which there is no such thing here. */
const REFUSED: readonly { readonly path: string; readonly unless?: readonly string[]; readonly why: string }[] = [
  { path: 'customHandler.*', why: 'this host runs Node.js functions only' },
  { path: 'functions', unless: [], why: 'this host runs all functions; disable some with AzureWebJobs.NAME.Disabled' },
  { path: 'functions.*', why: 'this host runs all functions; disable some with AzureWebJobs.NAME.Disabled' },
  {
    path: 'extensions.eventHubs.transportType',
    unless: ['amqptcp'],
    why: 'this host speaks AMQP over TCP only (amqpTcp)',
  },
  { path: 'extensions.eventHubs.webProxy', unless: [''], why: 'this host speaks AMQP over TCP, which has no proxy' },
  {
    path: 'extensions.durableTask.overridableExistingInstanceStates',
    unless: ['nonrunningstates'],
    why: 'this host starts an instance anew only when the old one has ended (NonRunningStates)',
  },
  {
    path: 'extensions.durableTask.versionMatchStrategy',
    unless: ['none', 'currentorolder'],
    why: 'this host runs instances of every version',
  },
];

/** Sections of extensions that this host has; the settings of others go with functions that it refuses at load. */
const OWN_EXTENSIONS: ReadonlySet<string> = new Set(['http', 'blobs', 'eventhubs', 'durabletask']);

/** An app setting `AzureFunctionsJobHost__a__b` stands for `a.b`, and comes before it. */
export const OVERRIDE_SECTION = 'AzureFunctionsJobHost';

export interface HostJsonSettings {
  /** The file as this host reads it: only settings that it obeys, under their canonical names. */
  readonly content: Readonly<Record<string, unknown>>;
  /** Names of settings that have no effect here. */
  readonly withoutEffect: readonly string[];
  readonly problems: readonly string[];
}

interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  /** As the one who wrote it knows it. */
  readonly name: string;
}

/** @param overrides what the app settings say, by path with `:` between its names */
export function sortSettings(parsed: unknown, overrides: ReadonlyMap<string, string>): HostJsonSettings {
  const settings = new Map<string, Setting>();
  for (const setting of leavesOf(parsed, [])) settings.set(keyOf(setting.path), setting);
  for (const [key, value] of overrides) {
    const path = key.split(':');
    settings.set(keyOf(path), { path, value, name: `${OVERRIDE_SECTION}__${path.join('__')}` });
  }
  const content: Record<string, unknown> = {};
  const withoutEffect: string[] = [];
  const problems: string[] = [];
  const provider = settings.get('extensions.durabletask.storageprovider.type')?.value;
  for (const setting of settings.values()) {
    const key = keyOf(setting.path);
    const obeyed = Object.keys(OBEYED).find((path) => path.toLowerCase() === key);
    const refused = REFUSED.find((rule) => matches(rule.path, key));
    if (obeyed !== undefined) {
      place(content, obeyed.split('.'), OBEYED[obeyed] === 'number' ? numberIn(setting.value) : setting.value);
    } else if (refused !== undefined && !isHarmless(refused.unless, setting.value)) {
      problems.push(`"${setting.name}": ${refused.why}`);
    } else if (refused !== undefined || WITHOUT_EFFECT.some((path) => matches(path, key)) || isForeign(key, provider)) {
      withoutEffect.push(setting.name);
    } else if (isSection(key)) {
      problems.push(`${key === '' ? 'the file' : `"${setting.name}"`} must be an object`);
    } else if (key !== '$schema') {
      problems.push(`"${setting.name}" is no setting that this host knows`);
    }
  }
  return { content, withoutEffect, problems };
}

/** Names are case-insensitive, as in all .NET configuration. */
function keyOf(path: readonly string[]): string {
  return path.join('.').toLowerCase();
}

/** Null is as good as nothing; lists are values. */
function leavesOf(value: unknown, path: readonly string[]): readonly Setting[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object' || Array.isArray(value)) return [{ path, value, name: path.join('.') }];
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

function matches(rule: string, key: string): boolean {
  const path = rule.toLowerCase();
  return path.endsWith('.*') ? key.startsWith(path.slice(0, -1)) : key === path;
}

/** Whether there are settings below it. */
function isSection(key: string): boolean {
  return (
    key === '' || [...Object.keys(OBEYED), ...WITHOUT_EFFECT].some((path) => path.toLowerCase().startsWith(`${key}.`))
  );
}

function isHarmless(unless: readonly string[] | undefined, value: unknown): boolean {
  if (unless === undefined) return false;
  return Array.isArray(value) ? value.length === 0 : unless.includes(String(value).toLowerCase());
}

/** Settings of extensions, and of stores of durable state, that this host does not have. */
function isForeign(key: string, provider: unknown): boolean {
  const [section, extension, part] = key.split('.');
  if (section !== 'extensions' || extension === undefined) return false;
  if (!OWN_EXTENSIONS.has(extension)) return true;
  return (
    extension === 'durabletask' &&
    part === 'storageprovider' &&
    typeof provider === 'string' &&
    provider.toLowerCase() !== 'azurestorage'
  );
}

function numberIn(value: unknown): unknown {
  return typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
}

function place(content: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    content[name] = value;
    return;
  }
  const section = (content[name] ?? {}) as Record<string, unknown>;
  content[name] = section;
  place(section, rest, value);
}
