import { credential, findConnection, settingNames } from '../connections.ts';
import type { Settings } from '../settings.ts';

/** The way to one event hub. */
export type EventHubConnection = {
  readonly eventHubName: string;
  /** The app setting, or the section of settings, that says where the event hub is. */
  readonly settingName: string;
} & (
  | { readonly kind: 'connectionString' /** With a key in it: never shown. */; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      readonly fullyQualifiedNamespace: string;
      readonly credential: ReturnType<typeof credential>;
    }
);

/**
 * Finds the event hub of a trigger: the `EntityPath` of a connection string beats the binding's `eventHubName`; without a
 * string it is `X__fullyQualifiedNamespace` and the identity (azure-sdk-for-net, WebJobs.Extensions.EventHubs,
 * EventHubClientFactory.cs).
 *
 * @throws Error naming the settings that are missing or wrong, without their values.
 */
export function eventHubConnection(name: string, eventHubName: string, settings: Settings): EventHubConnection {
  if (/(?:^|;)\s*Endpoint=/i.test(name)) {
    throw new Error('"connection" must be the name of an app setting; it holds a connection string');
  }
  const found = findConnection(name, settings);
  if (found === undefined) {
    const places = settingNames(name).map((place) => `"${place}" or "${place}__fullyQualifiedNamespace"`);
    throw new Error(`Event Hubs connection "${name}" does not exist. Set one of ${places.join(', ')}.`);
  }
  const { settingName, text, section } = found;
  if (text !== undefined) {
    const parts = connectionStringParts(text);
    if (parts === undefined) {
      throw new Error(`App setting "${settingName}" is not a valid Event Hubs connection string.`);
    }
    const path = parts.get('entitypath') ?? '';
    return {
      kind: 'connectionString',
      settingName,
      connectionString: text,
      eventHubName: named(path === '' ? eventHubName : path),
    };
  }
  const fullyQualifiedNamespace = section.get('fullyqualifiednamespace');
  if (fullyQualifiedNamespace === undefined || fullyQualifiedNamespace === '') {
    throw new Error(
      `Connection "${settingName}" has no namespace: set "${settingName}__fullyQualifiedNamespace", such as NAME.servicebus.windows.net.`,
    );
  }
  return {
    kind: 'identity',
    settingName,
    fullyQualifiedNamespace,
    eventHubName: named(eventHubName),
    credential: credential(settingName, section),
  };
}

/** Members by lower-case name; undefined when it is no connection string with an endpoint and a way to sign. */
function connectionStringParts(text: string): ReadonlyMap<string, string> | undefined {
  const parts = new Map<string, string>();
  for (const part of text.split(';').filter((one) => one.trim() !== '')) {
    const at = part.indexOf('=');
    if (at < 1) return undefined;
    parts.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
  }
  const has = (name: string) => (parts.get(name) ?? '') !== '';
  const signs = has('sharedaccesssignature') || (has('sharedaccesskeyname') && has('sharedaccesskey'));
  return /^sb:\/\/[^/]+/i.test(parts.get('endpoint') ?? '') && signs ? parts : undefined;
}

function named(eventHubName: string): string {
  if (eventHubName === '') {
    throw new Error('"eventHubName" is missing, and the connection string has no EntityPath');
  }
  return eventHubName;
}
