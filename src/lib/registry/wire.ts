/**
 * Bodies of the hub's REST API in the hub's spelling, where it is not that of our own types (api-version
 * 2021-04-12, `service.json` of azure-iot-hub-python). What comes back is read field by field where it arrives.
 */

interface WireAuthentication {
  readonly type?: string;
  readonly symmetricKey?: { readonly primaryKey?: string | null; readonly secondaryKey?: string | null } | null;
  readonly x509Thumbprint?: {
    readonly primaryThumbprint?: string | null;
    readonly secondaryThumbprint?: string | null;
  } | null;
}

/** One line of a devices file, and one item of a bulk request (`ExportImportDevice`). */
export interface WireExportImportDevice {
  readonly id: string;
  readonly moduleId?: string;
  readonly eTag?: string | null;
  readonly importMode?: string;
  readonly status?: string;
  readonly statusReason?: string | null;
  readonly authentication?: WireAuthentication | null;
  readonly twinETag?: string | null;
  readonly tags?: Readonly<Record<string, unknown>> | null;
  readonly properties?: {
    readonly desired?: Readonly<Record<string, unknown>> | null;
    readonly reported?: Readonly<Record<string, unknown>> | null;
  } | null;
  readonly capabilities?: { readonly iotEdge?: boolean } | null;
  readonly deviceScope?: string | null;
  readonly parentScopes?: readonly string[] | null;
}

export interface WireConfiguration {
  readonly id: string;
  readonly schemaVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly content?: WireConfigurationContent;
  readonly targetCondition?: string;
  readonly priority?: number;
  readonly metrics?: { readonly queries?: Readonly<Record<string, string>> };
  readonly etag?: string;
}

export interface WireConfigurationContent {
  readonly deviceContent?: Readonly<Record<string, unknown>>;
  readonly moduleContent?: Readonly<Record<string, unknown>>;
  readonly modulesContent?: Readonly<Record<string, unknown>>;
}

/** Body of `POST /jobs/create` (`JobProperties`). */
export interface WireJobRequest {
  readonly type: 'import' | 'export';
  readonly inputBlobContainerUri?: string;
  readonly inputBlobName?: string;
  readonly outputBlobContainerUri: string;
  readonly outputBlobName?: string;
  readonly excludeKeysInExport?: boolean;
  readonly includeConfigurations?: boolean;
  readonly configurationsBlobName?: string;
  readonly storageAuthenticationType?: 'keyBased' | 'identityBased';
  readonly identity?: { readonly userAssignedIdentity: string };
}
