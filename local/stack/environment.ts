/** What the parts see of the environment: everything but what would lead the app away from this machine. */

/** Settings that say which hub, storage and identity to use; the stack gives its own values for these. */
const LEADS_ELSEWHERE = [
  'IOTHUB',
  'HUBKEEPER_STORAGE',
  'HUBKEEPER_API',
  'HUBKEEPER_API_KEY',
  'AzureWebJobsStorage',
  'HUB_TIER',
  'HUB_UNITS',
  'STORAGE_AUTH',
  'STORAGE_IDENTITY',
  'MIRROR_EVENTS',
  'MIRROR_EVENT_HUB',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
];

/** `base` without those settings (their `NAME__part` and `MIRROR_EVENTS_alias` forms too), with `settings` laid over it. */
export function childEnvironment(
  base: NodeJS.ProcessEnv,
  settings: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const leadsElsewhere = (name: string): boolean =>
    LEADS_ELSEWHERE.some(
      (setting) =>
        name.toLowerCase() === setting.toLowerCase() || name.toLowerCase().startsWith(`${setting.toLowerCase()}__`),
    ) || name.toLowerCase().startsWith('mirror_events_');
  return { ...Object.fromEntries(Object.entries(base).filter(([name]) => !leadsElsewhere(name))), ...settings };
}
