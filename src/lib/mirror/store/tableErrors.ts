/** What calls of the table service fail with, in words of the store. Nothing of a request gets into them: it is signed. */

import { isRestError } from '@azure/core-rest-pipeline';

import { ROLE_MISSING, roleAction } from '../../roles.ts';
import { StoreUnavailable } from './mirrorStore.ts';

/** A reply of the table service that is no success. */
export interface Failure {
  readonly status: number;
  readonly code: string | undefined;
}

/** The store refuses what it was asked, and would again. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** What a call failed with, if the service has answered; else undefined. */
export function failureOf(error: unknown): Failure | undefined {
  if (!isRestError(error) || error.statusCode === undefined) return undefined;
  const details = error.details as { readonly odataError?: { readonly code?: unknown } } | undefined;
  const code = details?.odataError?.code ?? error.code;
  return { status: error.statusCode, code: typeof code === 'string' ? code : undefined };
}

/** The table is not there: it has not been made yet, or somebody has deleted it. */
export function isTableMissing({ status, code }: Failure): boolean {
  return status === 404 && code === 'TableNotFound';
}

/** The entity is not there. */
export function isEntityMissing({ status, code }: Failure): boolean {
  return status === 404 && code !== 'TableNotFound';
}

/** The entity is there, or is not as it was: somebody was first. */
export function isConflict({ status, code }: Failure): boolean {
  return status === 412 || (status === 409 && code === 'EntityAlreadyExists');
}

export function errorOf(failure: Failure): Error {
  const { status, code } = failure;
  const told = code !== undefined && /^\w{1,60}$/.test(code) ? `${status} ${code}` : String(status);
  // No reply of a table service is a success and yet none. Rights that are missing, a table that is being deleted: not the fault of what was asked, and people put it right.
  const later =
    status < 400 ||
    status === 401 ||
    status === 403 ||
    status === 404 ||
    status === 408 ||
    status === 409 ||
    status === 429;
  if (code === ROLE_MISSING) {
    const what = `The table service refuses the identity of the app (${told}).`;
    return new StoreUnavailable(`${what} ${roleAction('tables')}`, true);
  }
  return later || status >= 500
    ? new StoreUnavailable(`The table service does not do its work (${told}).`)
    : new StoreRefused(`The table service refuses a request (${told}).`);
}

/** Makes whatever a call of the table service throws an error of the store; errors of our own stay what they are. */
export function storeError(error: unknown): unknown {
  const failure = failureOf(error);
  if (failure !== undefined) return errorOf(failure);
  if (isRestError(error))
    return new StoreUnavailable(`The table service is not reached (${error.code ?? 'no answer'}).`);
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError' || name === 'TimeoutError') {
    return new StoreUnavailable('The table service did not answer in time.');
  }
  // Of the identity library: it has no token, or cannot get one now.
  if (/Authentication|Credential/.test(name)) {
    return new StoreUnavailable('The identity of the app has no token for the table service.');
  }
  return error;
}
