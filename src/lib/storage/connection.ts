/** How a storage account is reached. */
export type StorageConnection =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      readonly blobServiceUri: string;
      /** Absent: it follows from the blob service's, as far as that is one of Azure's usual addresses. */
      readonly tableServiceUri?: string;
      readonly clientId?: string;
    };

/** Where the tables of an identity connection are, if that is known. */
export function tableServiceUriOf({
  blobServiceUri,
  tableServiceUri,
}: {
  readonly blobServiceUri: string;
  readonly tableServiceUri?: string;
}): string | undefined {
  if (tableServiceUri !== undefined) return tableServiceUri;
  if (!URL.canParse(blobServiceUri)) return undefined;
  const url = new URL(blobServiceUri);
  // Also with a DNS zone in between: ACCOUNT.z01.blob.storage.azure.net.
  const hostname = url.hostname.replace(/^([^.]+(?:\.z\d+)?)\.blob\./i, '$1.table.');
  if (hostname === url.hostname) return undefined;
  url.hostname = hostname;
  return url.href.replace(/\/$/, '');
}

/** Whether a connection tells where the tables of the account are. */
export function knowsTables(connection: StorageConnection): boolean {
  if (connection.kind === 'identity') return tableServiceUriOf(connection) !== undefined;
  return /(^|;)\s*(TableEndpoint|EndpointSuffix|UseDevelopmentStorage)=[^;]/i.test(connection.connectionString);
}
