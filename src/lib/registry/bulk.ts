/** `POST /devices`: up to 100 identities in one call (REST reference, Bulk Registry – Update Registry). */

import { defined } from '../defined.ts';
import { RefusedInputError } from '../errors.ts';
import { callText } from './callTexts.ts';
import { explainHubError } from './errorCodes.ts';
import { type ReducedErrorStatus, reduceErrorStatus } from './errorStatus.ts';
import { asObject, asString, asText, type JsonObject } from './reader.ts';
import type { CallOptions, HubReply, HubRequest, Transport } from './transport.ts';
import type { WireExportImportDevice } from './wire.ts';

export const MAX_BULK_ITEMS = 100;

export interface BulkErrorCode {
  /** Undefined where no number is known. */
  readonly code: number | undefined;
  readonly name: string;
}

export interface BulkItemError {
  readonly deviceId?: string;
  readonly moduleId?: string;
  readonly error: BulkErrorCode;
  /** What may be told of the hub's own text. */
  readonly detail: ReducedErrorStatus;
  readonly operation?: string;
}

export interface BulkItemWarning {
  readonly deviceId?: string;
  /** The hub knows one: `DeviceRegisteredWithoutTwin`. */
  readonly name: string;
}

export interface BulkResult {
  readonly isSuccessful: boolean;
  readonly errors: readonly BulkItemError[];
  readonly warnings: readonly BulkItemWarning[];
}

export interface BulkOperations {
  /**
   * Creates, updates or deletes up to 100 identities, each as its `importMode` says. Failures of single items are part
   * of the result, not errors; an item may appear once a call. An item that is JSON already is sent as it is written.
   */
  bulk(items: readonly (WireExportImportDevice | string)[], options?: CallOptions): Promise<BulkResult>;
}

export function createBulkOperations(transport: Transport): BulkOperations {
  return {
    async bulk(items, options = {}) {
      if (items.length === 0) return { isSuccessful: true, errors: [], warnings: [] };
      if (items.length > MAX_BULK_ITEMS) {
        throw new RefusedInputError(callText('bulkTooLarge', { items: items.length, most: MAX_BULK_ITEMS }));
      }
      const request: HubRequest = {
        operation: `change ${items.length} identities`,
        method: 'POST',
        path: ['devices'],
        bodyText: () => `[${items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(',')}]`,
        writes: true,
        retry: 'whenRefused',
        // A hub with something to complain of answers 400 with the same body as 200.
        accepts: (reply) => reply.status === 400 && isResult(reply.body),
        options,
      };
      return parseResult(transport, request, await transport.send(request));
    },
  };
}

function isResult(body: unknown): boolean {
  return typeof asObject(body)?.isSuccessful === 'boolean';
}

function parseResult(transport: Transport, request: HubRequest, reply: HubReply): BulkResult {
  const body = asObject(reply.body);
  if (body === undefined || typeof body.isSuccessful !== 'boolean') {
    throw transport.invalid(request, 'is no result of a bulk request');
  }
  return {
    isSuccessful: body.isSuccessful,
    errors: objectsIn(body.errors).map(parseError),
    warnings: objectsIn(body.warnings).map((warning) => ({
      ...defined({ deviceId: asText(warning.deviceId) }),
      name: explainHubError(asString(warning.warningCode) ?? '').name,
    })),
  };
}

function parseError(error: JsonObject): BulkItemError {
  // A name by the REST reference; .NET's client reads a number as well, and logs of import jobs have numbers.
  const given = error.errorCode;
  const code = typeof given === 'number' || typeof given === 'string' ? given : '';
  const explained = explainHubError(code);
  return {
    ...defined({
      deviceId: asText(error.deviceId),
      moduleId: asText(error.moduleId),
      operation: asText(error.operation),
    }),
    error: { code: explained.code, name: explained.name },
    detail: reduceErrorStatus(asString(error.errorStatus) ?? '', code === '' ? undefined : code),
  };
}

function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(asObject).filter((item) => item !== undefined) : [];
}
