import type { BlockBlobClient } from '@azure/storage-blob';
import { defined } from '../../defined.ts';
import { lowerCased, quotedIdentity } from '../../hubJobs/errorLog.ts';
import { linesOf } from '../../storage/ndjson.ts';
import { isNotFound } from '../../storage/storageErrors.ts';

export interface ConfigurationErrors {
  /** Code by id; the first error of an id stands. */
  readonly codes: ReadonlyMap<string, number | string>;
  /** Codes of errors that name no configuration. */
  readonly unattributed: readonly (number | string)[];
}

/**
 * Reads `importConfigErrors.log`; undefined when there is none.
 *
 * How a line names its configuration is not documented, so every name that it may have is looked for, and the line of
 * the input that an errorStatus may quote; nothing else of that is taken.
 */
export async function readConfigurationErrors(blob: BlockBlobClient): Promise<ConfigurationErrors | undefined> {
  const codes = new Map<string, number | string>();
  const unattributed: (number | string)[] = [];
  try {
    for await (const line of linesOf(blob)) {
      if (line.trim() === '') continue;
      const { id, code } = parseLine(line);
      if (id === undefined) unattributed.push(code);
      else if (!codes.has(id)) codes.set(id, code);
    }
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  return { codes, unattributed };
}

function parseLine(line: string): { readonly id?: string; readonly code: number | string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { code: 'Unknown' };
  }
  if (typeof value !== 'object' || value === null) return { code: 'Unknown' };
  const fields = lowerCased(value as Record<string, unknown>);
  const rawCode = fields['errorcode'];
  const code = typeof rawCode === 'number' || typeof rawCode === 'string' ? rawCode : 'Unknown';
  const status = fields['errorstatus'];
  const quoted = typeof status === 'string' ? quotedIdentity(status)?.deviceId : undefined;
  const id = [fields['configurationid'], fields['id'], fields['deviceid'], quoted].find(
    (candidate): candidate is string => typeof candidate === 'string' && candidate !== '',
  );
  return { ...defined({ id }), code };
}
