/** One identity and its twin: a device (`moduleId` is '') or a module. JSON columns hold compact JSON text. */
export interface IdentityRow {
  /** Order of creation; the key of paging and of exports. */
  readonly seq: number;
  readonly deviceId: string;
  readonly moduleId: string;
  /** A decimal counter; the wire shows its base64 (`ODAxMjMyNDI2`). */
  etag: number;
  readonly generationId: string;
  status: 'enabled' | 'disabled';
  statusReason: string | null;
  statusUpdatedTime: string;
  authenticationType: 'sas' | 'selfSigned' | 'certificateAuthority' | 'none';
  primaryKey: string | null;
  secondaryKey: string | null;
  primaryThumbprint: string | null;
  secondaryThumbprint: string | null;
  iotEdge: 0 | 1;
  deviceScope: string | null;
  /** JSON array of strings, or null. */
  parentScopes: string | null;
  managedBy: string | null;
  twinEtag: number;
  twinVersion: number;
  tags: string;
  desired: string;
  desiredVersion: number;
  desiredUpdated: string;
  /** JSON of `$metadata`; null while every property is as old as `desiredUpdated`. */
  desiredMetadata: string | null;
  reported: string;
  reportedVersion: number;
  reportedUpdated: string;
  /** JSON of the configurations that target this twin, as the wire shows them: `{"c":{"status":"Applied"}}`; null for none. */
  configurations: string | null;
}

export type NewIdentityRow = Omit<IdentityRow, 'seq'>;

/** Every column but `seq`, with its SQL type. */
export const IDENTITY_COLUMNS: Readonly<Record<keyof NewIdentityRow, string>> = {
  deviceId: 'TEXT NOT NULL',
  moduleId: 'TEXT NOT NULL',
  etag: 'INTEGER NOT NULL',
  generationId: 'TEXT NOT NULL',
  status: 'TEXT NOT NULL',
  statusReason: 'TEXT',
  statusUpdatedTime: 'TEXT NOT NULL',
  authenticationType: 'TEXT NOT NULL',
  primaryKey: 'TEXT',
  secondaryKey: 'TEXT',
  primaryThumbprint: 'TEXT',
  secondaryThumbprint: 'TEXT',
  iotEdge: 'INTEGER NOT NULL',
  deviceScope: 'TEXT',
  parentScopes: 'TEXT',
  managedBy: 'TEXT',
  twinEtag: 'INTEGER NOT NULL',
  twinVersion: 'INTEGER NOT NULL',
  tags: 'TEXT NOT NULL',
  desired: 'TEXT NOT NULL',
  desiredVersion: 'INTEGER NOT NULL',
  desiredUpdated: 'TEXT NOT NULL',
  desiredMetadata: 'TEXT',
  reported: 'TEXT NOT NULL',
  reportedVersion: 'INTEGER NOT NULL',
  reportedUpdated: 'TEXT NOT NULL',
  configurations: 'TEXT',
};

/** The identity etag as the wire shows it. */
export function identityEtag(row: Pick<IdentityRow, 'etag'>): string {
  return Buffer.from(String(row.etag), 'latin1').toString('base64');
}

/** The twin etag as the wire shows it: an eight-byte counter. */
export function twinEtag(row: Pick<IdentityRow, 'twinEtag'>): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(row.twinEtag));
  return bytes.toString('base64');
}

/**
 * A row from the values of `SELECT seq, <columns in the order of IDENTITY_COLUMNS>`. Spelled out: SQLite's own row
 * objects take three times as long to make and to copy, a million times in a long import.
 */
export function identityRowOf(values: readonly unknown[]): IdentityRow {
  return {
    seq: values[0] as number,
    deviceId: values[1] as string,
    moduleId: values[2] as string,
    etag: values[3] as number,
    generationId: values[4] as string,
    status: values[5] as IdentityRow['status'],
    statusReason: values[6] as string | null,
    statusUpdatedTime: values[7] as string,
    authenticationType: values[8] as IdentityRow['authenticationType'],
    primaryKey: values[9] as string | null,
    secondaryKey: values[10] as string | null,
    primaryThumbprint: values[11] as string | null,
    secondaryThumbprint: values[12] as string | null,
    iotEdge: values[13] as 0 | 1,
    deviceScope: values[14] as string | null,
    parentScopes: values[15] as string | null,
    managedBy: values[16] as string | null,
    twinEtag: values[17] as number,
    twinVersion: values[18] as number,
    tags: values[19] as string,
    desired: values[20] as string,
    desiredVersion: values[21] as number,
    desiredUpdated: values[22] as string,
    desiredMetadata: values[23] as string | null,
    reported: values[24] as string,
    reportedVersion: values[25] as number,
    reportedUpdated: values[26] as string,
    configurations: values[27] as string | null,
  };
}
