/** What the settings of the app in Azure may be, besides those of `src/lib/settings.ts`. */

import type { Resource } from '../helpers/bicep.ts';

/** The parts of a connection that is made with an identity, by the setting that the connection is named after. */
export const CONNECTION_PARTS: Readonly<Record<string, readonly string[]>> = {
  // Leases, keys, timers; queues and tables of durable functions.
  AzureWebJobsStorage: ['blobServiceUri', 'queueServiceUri', 'tableServiceUri', 'credential', 'clientId'],
  // The app reads and writes blobs; the blob trigger needs the queue, the mirror its table.
  HUBKEEPER_STORAGE: ['blobServiceUri', 'queueServiceUri', 'tableServiceUri', 'credential', 'clientId'],
  MIRROR_EVENTS: ['fullyQualifiedNamespace', 'credential', 'clientId'],
};

/** Read by the host or by its libraries. */
export const SETTINGS_OF_THE_PLATFORM = [
  // Where telemetry is sent; no secret, as Application Insights takes it from identities only.
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];

/** The page "App settings reference for Azure Functions" lists them: deprecated on the Flex Consumption plan. */
export const REFUSED_BY_FLEX = [
  'ENABLE_ORYX_BUILD',
  'FUNCTIONS_EXTENSION_VERSION',
  'FUNCTIONS_WORKER_PROCESS_COUNT',
  'FUNCTIONS_WORKER_RUNTIME',
  'FUNCTIONS_WORKER_RUNTIME_VERSION',
  'FUNCTIONS_MAX_HTTP_CONCURRENCY',
  'FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED',
  'SCM_DO_BUILD_DURING_DEPLOYMENT',
  'TZ',
  'WEBSITE_CONTENTAZUREFILECONNECTIONSTRING',
  'WEBSITE_CONTENTOVERVNET',
  'WEBSITE_CONTENTSHARE',
  'WEBSITE_DNS_SERVER',
  'WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT',
  'WEBSITE_NODE_DEFAULT_VERSION',
  'WEBSITE_RUN_FROM_PACKAGE',
  'WEBSITE_SKIP_CONTENTSHARE_VALIDATION',
  'WEBSITE_TIME_ZONE',
  'WEBSITE_VNET_ROUTE_ALL',
];

/** What Azure puts in the place of an expression that only it can evaluate. */
const STAND_INS: readonly (readonly [RegExp, string])[] = [
  [/primaryEndpoints\.(blob|queue|table)\b/, 'https://account.$1.core.windows.net/'],
  [/serviceBusEndpoint/, 'ns.servicebus.windows.net'],
  [/IotHubs.*\.hostName/, 'newhub.azure-devices.net'],
  [/\.clientId\b/, '00000000-0000-0000-0000-0000000000c1'],
  [/ConnectionString/, 'InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://x/'],
];

/** The settings as the app would find them in its environment. */
export function environmentOf(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, evaluated(value)]));
}

function evaluated(value: string): string {
  if (!value.startsWith('[')) return value;
  for (const [pattern, text] of STAND_INS) {
    const match = pattern.exec(value);
    if (match !== null) return text.replace('$1', match[1] ?? '');
  }
  throw new Error(`No stand-in for ${value}`);
}

export function settingsOf(resources: readonly Resource[]): Record<string, string> {
  const found = resources.find(({ id }) => id.endsWith('/config/appsettings'));
  return (found?.properties ?? {}) as Record<string, string>;
}
