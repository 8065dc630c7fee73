/** What settings say of the mirror: where its events come from, where its rows are, and when it is reconciled. */

import { defined } from '../defined.ts';

/** An Event Hub, or the built-in endpoint of a hub, that lifecycle and twin change events are read from. */
export interface EventSource {
  /** Of the setting that has the connection: triggers bind to it. */
  readonly connectionName: string;
  readonly connection: EventConnection;
  readonly eventHub: string;
  readonly consumerGroup: string;
  /** Alias of the hub whose events these are; absent: each event says which hub it is of. */
  readonly hub?: string;
}

export type EventConnection =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | { readonly kind: 'identity'; readonly fullyQualifiedNamespace: string; readonly clientId?: string };

export interface MirrorSettings {
  readonly sources: readonly EventSource[];
  /** Name of the table. */
  readonly table: string;
  /** Six-field NCRONTAB; absent: only on demand. */
  readonly reconcileSchedule?: string;
}

export interface MirrorTexts {
  readonly eventHub: string | undefined;
  readonly consumerGroup: string;
  readonly table: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const SOURCE = /^MIRROR_EVENTS(?:_([a-z0-9]+))?(?:__(fullyQualifiedNamespace))?$/i;

/**
 * The sources that the environment names: `MIRROR_EVENTS`, and `MIRROR_EVENTS_<alias>` for hubs with an endpoint of their
 * own. Problems name the setting and never quote its value.
 */
export function readEventSources(
  environment: Environment,
  aliases: readonly string[],
  texts: MirrorTexts,
  problems: string[],
): EventSource[] {
  const sources = new Map<string, EventSource>();
  for (const [name, raw] of Object.entries(environment)) {
    const match = SOURCE.exec(name);
    const value = raw?.trim();
    if (match === null || value === undefined || value === '') continue;
    const hub = match[1]?.toLowerCase();
    const connectionName = name.replace(/__.*$/, '');
    if (hub !== undefined && !aliases.includes(hub)) {
      problems.push(`${name}: there is no hub of that alias.`);
      continue;
    }
    const isIdentity = match[2] !== undefined;
    // A connection string beats an identity, as for the host.
    if (isIdentity && environment[connectionName]?.trim()) continue;
    const connection = isIdentity
      ? identityOf(value, environment[`${connectionName}__clientId`]?.trim())
      : stringOf(name, value, problems);
    const eventHub = (connection.kind === 'connectionString' ? entityPath(value) : undefined) ?? texts.eventHub;
    if (eventHub === undefined) {
      problems.push(`${name} names no event hub: add ;EntityPath=NAME to it, or set MIRROR_EVENT_HUB.`);
      continue;
    }
    sources.set(hub ?? '', {
      connectionName,
      connection,
      eventHub,
      consumerGroup: texts.consumerGroup,
      ...defined({ hub }),
    });
  }
  return [...sources.values()];
}

/** Of the hubs of the app those that a source may have events of: no other is mirrored. */
export function mirroredHubs(
  { sources }: Pick<MirrorSettings, 'sources'>,
  aliases: readonly string[],
): readonly string[] {
  const named = sources.map(({ hub }) => hub);
  return named.includes(undefined) ? aliases : aliases.filter((alias) => named.includes(alias));
}

function identityOf(fullyQualifiedNamespace: string, clientId: string | undefined): EventConnection {
  return { kind: 'identity', fullyQualifiedNamespace, ...(clientId ? { clientId } : {}) };
}

function stringOf(name: string, connectionString: string, problems: string[]): EventConnection {
  if (!/(^|;)\s*Endpoint=sb:\/\/[^;]/i.test(connectionString)) {
    problems.push(`${name} is no connection string of an Event Hub: it must begin with Endpoint=sb://.`);
  }
  return { kind: 'connectionString', connectionString };
}

function entityPath(connectionString: string): string | undefined {
  return /(?:^|;)\s*EntityPath=([^;]+)/i.exec(connectionString)?.[1]?.trim();
}
