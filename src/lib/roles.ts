/**
 * The roles of Azure that the identity of the app needs, and what is said where one is missing. `infra/rights.bicep` and
 * `infra/hooks` assign them; a test compares the names.
 */

export const ROLES = {
  hub: 'IoT Hub Data Contributor',
  blobs: 'Storage Blob Data Contributor',
  queues: 'Storage Queue Data Contributor',
  tables: 'Storage Table Data Contributor',
  events: 'Azure Event Hubs Data Receiver',
} as const;

export type RoleUse = keyof typeof ROLES;

const PLACES: Readonly<Record<RoleUse, string>> = {
  hub: 'on the hub',
  blobs: 'on the storage account',
  queues: 'on the storage account',
  tables: 'on the storage account',
  events: 'on the event hub',
};

/** What to do where the identity has no right: a role takes effect late, so that one just given may seem to be missing. */
export function roleAction(use: RoleUse): string {
  return `Give the identity of the app the role ${ROLES[use]} ${PLACES[use]}; it takes effect within minutes.`;
}

/** What storage answers to an identity without a role; keys never get it (Azure Storage: common REST API error codes). */
export const ROLE_MISSING = 'AuthorizationPermissionMismatch';

/** What to tell of a storage error that means that the identity has no role there; undefined: it means something else. */
export function missingRoleText(error: Error): string | undefined {
  const { code, statusCode, details, request } = error as {
    readonly code?: unknown;
    readonly statusCode?: unknown;
    readonly details?: { readonly errorCode?: unknown };
    readonly request?: { readonly url?: unknown };
  } & Error;
  // A reply to HEAD has no body: the code stands in a header alone.
  if (statusCode !== 403 || (code ?? details?.errorCode) !== ROLE_MISSING) return undefined;
  const [, service = 'blob'] = /^https?:\/\/[^/]*\.(blob|queue|table)\./i.exec(String(request?.url)) ?? [];
  const use = `${service.toLowerCase()}s` as 'blobs' | 'queues' | 'tables';
  return `Storage refuses the identity of the app (403 ${ROLE_MISSING}). ${roleAction(use)}`;
}
