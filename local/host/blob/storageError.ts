import type { RestError } from '@azure/storage-blob';
import { errorText } from '../log.ts';

/**
 * What a failed storage call says in a log: the service's code and status. Its message is left out, because the service
 * quotes signatures in it.
 */
export function storageErrorText(error: unknown): string {
  const { code, statusCode, name } = error as RestError;
  if (name !== 'RestError') {
    return errorText(error);
  }
  return [code, statusCode === undefined ? undefined : `HTTP ${statusCode}`].filter((part) => part).join(', ');
}
