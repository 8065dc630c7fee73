import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import { describe, expect, it } from 'vitest';

import { errorOf } from '../../src/lib/mirror/store/tableErrors.ts';
import { safeError } from '../../src/lib/redact.ts';
import { errorFromReply } from '../../src/lib/registry/hubError.ts';
import { ROLES } from '../../src/lib/roles.ts';
import { RIGHTS_OF_CLIENTS, RIGHTS_OF_TRIGGERS } from '../infra/rights.ts';

const request = (service: string) =>
  createPipelineRequest({ url: `https://account.${service}.core.windows.net/x?sig=abc`, headers: createHttpHeaders() });

function refusal(service: string, code: string, head = false): RestError {
  const error = new RestError(`{"url":"${request(service).url}"}`, { statusCode: 403, request: request(service) });
  return head ? Object.assign(error, { details: { errorCode: code } }) : Object.assign(error, { code });
}

describe('a role that is missing', () => {
  it('has the names that the templates assign', () => {
    const assigned = Object.values({ ...RIGHTS_OF_CLIENTS, ...RIGHTS_OF_TRIGGERS }).flatMap((rights) =>
      rights.map(({ role }) => role),
    );
    expect(assigned).toEqual(expect.arrayContaining(Object.values(ROLES)));
  });

  it.each([
    { service: 'blob', head: false, role: ROLES.blobs },
    { service: 'blob', head: true, role: ROLES.blobs },
    { service: 'queue', head: false, role: ROLES.queues },
    { service: 'table', head: false, role: ROLES.tables },
  ])('of $service storage is named in place of what the SDK says (HEAD: $head)', ({ service, head, role }) => {
    const { message } = safeError(refusal(service, 'AuthorizationPermissionMismatch', head));
    expect(message).toContain(`the role ${role} on the storage account`);
    expect(message).not.toContain('core.windows.net');
  });

  it('is not named for a firewall that refuses', () => {
    expect(safeError(refusal('blob', 'AuthorizationFailure')).message).not.toContain('role');
  });

  it('is named by the store of the mirror', () => {
    expect(errorOf({ status: 403, code: 'AuthorizationPermissionMismatch' }).message).toContain(ROLES.tables);
    expect(errorOf({ status: 403, code: 'AuthorizationFailure' }).message).not.toContain(ROLES.tables);
  });

  it.each([
    { status: 401, code: 'IotHubUnauthorizedAccess', byIdentity: true, named: true },
    { status: 403, code: 'Forbidden', byIdentity: true, named: true },
    { status: 403, code: 'IotHubQuotaExceeded', byIdentity: true, named: false },
    { status: 403, code: 'JobQuotaExceeded', byIdentity: true, named: false },
    { status: 404, code: 'DeviceNotFound', byIdentity: true, named: false },
    { status: 401, code: 'IotHubUnauthorizedAccess', byIdentity: false, named: false },
  ])(
    'of a hub is named for $status $code (by identity: $byIdentity): $named',
    ({ status, code, byIdentity, named }) => {
      const call = { operation: 'read the device "d"', hostName: 'hub', writes: false, byIdentity };
      const bodyText = JSON.stringify({ Message: `ErrorCode:${code};Unauthorized`, ExceptionMessage: '' });
      const { action = '' } = errorFromReply(call, { status, header: () => undefined, bodyText });
      expect(action.includes(ROLES.hub)).toBe(named);
    },
  );
});
