/** A row of the mirror: what is known of one identity of a hub. It never holds a key. */

export interface IdentityKey {
  readonly deviceId: string;
  /** Of a module. */
  readonly moduleId?: string;
}

/** The key alone, of whatever has one. */
export function keyOf({ deviceId, moduleId }: IdentityKey): IdentityKey {
  return moduleId === undefined ? { deviceId } : { deviceId, moduleId };
}

/** Members of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The parts of a twin that are mirrored, without `$metadata` and `$version`. */
export interface TwinSections {
  readonly tags: Fields;
  readonly desired: Fields;
  readonly reported: Fields;
}

export interface MirroredTwin extends TwinSections {
  /** Of the twin: counts every change of it, from 1 or 2 on in each life of the identity; `UNKNOWN_VERSION` if nothing told it. */
  readonly version: number;
}

/** Of a twin that an export has told: it counts no changes. No partial event follows it. */
export const UNKNOWN_VERSION = 0;

/** What events do not tell: it comes from the registry alone. */
export interface MirroredIdentity {
  readonly status?: 'enabled' | 'disabled';
  readonly statusReason?: string;
  /** Whether it is an edge device. */
  readonly edge?: boolean;
  /** Id of the edge device that it is below. */
  readonly parent?: string;
  /** As the hub spells it: sas, selfSigned, certificateAuthority, none. */
  readonly authenticationType?: string;
}

export const IDENTITY_FIELDS = [
  'status',
  'statusReason',
  'edge',
  'parent',
  'authenticationType',
] as const satisfies readonly (keyof MirroredIdentity)[];

/** The newest event that a row knows of, whether its content was taken or only asks for a refresh. */
export interface RowOrder {
  /** `operationTimestamp`, ISO UTC with seven digits: compared as text. */
  readonly at: string;
  /** Where it stood: `source/partition`. */
  readonly partition: string;
  readonly sequence: number;
}

/** The registry has to be read, for what no event has told. */
export interface Wanted {
  /** When it was first wanted, ISO UTC, our clock. */
  readonly since: string;
  /** What is read counts only if its twin has at least this version. */
  readonly version?: number;
  /** A query may still show what is gone, or not yet what is new: the identity is read by GET. */
  readonly byGet?: true;
  /** How often it was read in vain. */
  readonly tries?: number;
  /** Not before, ISO UTC. */
  readonly due?: string;
  /** A run that touched the identity. */
  readonly runId?: string;
}

export type ChangedBy = 'event' | 'refresh' | 'reconcile';

export interface RowChange {
  /** ISO UTC: of the operation, if an event told it, else when it was seen. */
  readonly at: string;
  readonly by: ChangedBy;
  /**
   * `created` (an event told it), `found` (the registry has what the row did not), `deleted`, or the fields that changed,
   * such as `status` and `tags.site`; more than `MOST_FIELDS` end in `…`.
   */
  readonly what: readonly string[];
}

/** Changes that a row remembers. */
export const MOST_CHANGES = 20;
/** Fields that a change names. */
export const MOST_FIELDS = 10;

export interface MirrorRow extends IdentityKey {
  /** Alias of the hub. */
  readonly hub: string;
  /** `deleted`: a tombstone; `unknown`: events speak of it, and nothing has told what it is. */
  readonly state: 'present' | 'deleted' | 'unknown';
  readonly identity?: MirroredIdentity;
  readonly twin?: MirroredTwin;
  readonly order?: RowOrder;
  /** `operationTimestamp` of the newest creation that an event told, seven digits. */
  readonly bornAt?: string;
  /** The same of the newest deletion. Of a row that is there: of an earlier life. */
  readonly diedAt?: string;
  /** Our clock, when it was last found deleted, in this life or an earlier one: ISO UTC. */
  readonly deletedAt?: string;
  /** Our clock, when the row last changed: ISO UTC. */
  readonly updatedAt: string;
  /** Our clock, when the registry was last asked for it: ISO UTC. */
  readonly checkedAt?: string;
  /** The same of the last time that it was read by GET or from an export: these lag behind nothing, as queries do. */
  readonly exactAt?: string;
  readonly wanted?: Wanted;
  /** Newest first, at most `MOST_CHANGES`. */
  readonly changes: readonly RowChange[];
  /** The last run that touched it. */
  readonly lastRun?: string;
}

/** A query of a hub may list what was deleted for so long (about half an hour was seen). */
export const TOMBSTONE_MINUTES = 60;

export function keyText({ deviceId, moduleId }: IdentityKey): string {
  return moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
}
