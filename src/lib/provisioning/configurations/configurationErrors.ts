import type { BlockBlobClient } from '@azure/storage-blob';
import { defined } from '../../defined.ts';
import { parseFields, quotedIdentity, readLog } from '../../hubJobs/errorLog.ts';

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
  const isThere = await readLog(blob, (line) => {
    const { id, code } = parseLine(line);
    if (id === undefined) unattributed.push(code);
    else if (!codes.has(id)) codes.set(id, code);
  });
  return isThere ? { codes, unattributed } : undefined;
}

function parseLine(line: string): { readonly id?: string; readonly code: number | string } {
  const { fields = {}, code = 'Unknown' } = parseFields(line) ?? {};
  const quoted = quotedIdentity(fields['errorstatus'])?.deviceId;
  const id = [fields['configurationid'], fields['id'], fields['deviceid'], quoted].find(
    (candidate): candidate is string => typeof candidate === 'string' && candidate !== '',
  );
  return { ...defined({ id }), code };
}
