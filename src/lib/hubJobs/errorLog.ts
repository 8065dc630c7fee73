import type { BlockBlobClient } from '@azure/storage-blob';
import { createIdentityNotes, type IdentityNotes } from '../registryLines/identityNotes.ts';
import { linesOf } from '../storage/ndjson.ts';
import { isNotFound } from '../storage/storageErrors.ts';

/** The hub writes its error log under this fixed name at the root of the output container (Azure IoT SDK samples). */
export const ERROR_LOG_BLOB = 'importErrors.log';
/** The error log of the first import job, kept when a second one is to write its own under the hub's fixed name. */
export const FIRST_ERROR_LOG_BLOB = 'first-importErrors.log';

export interface ErrorLog {
  readonly failures: IdentityNotes;
  /** Error lines that name no device and from which none could be learnt: any line of the file may be meant. */
  readonly unattributed: number;
  /** Codes of the unattributed ones, at most a few. */
  readonly unattributedCodes: readonly (number | string)[];
}

const CODES_KEPT = 5;

/**
 * Reads the error log of an import job, streaming; undefined when there is none.
 *
 * A line is `{"deviceId":"d1","errorCode":409001,"errorStatus":"…"}`. For a line that it could not parse a hub gives no
 * deviceId and quotes the whole line, keys included, in errorStatus: the id is taken out of the quote, and nothing else.
 */
export async function readErrorLog(blob: BlockBlobClient): Promise<ErrorLog | undefined> {
  const failures = createIdentityNotes();
  const unattributedCodes: (number | string)[] = [];
  let unattributed = 0;
  const isThere = await readLog(blob, (line) => {
    const entry = parseErrorLine(line);
    if (entry?.deviceId !== undefined) {
      failures.add(entry.deviceId, entry.moduleId, entry.code);
      return;
    }
    unattributed += 1;
    if (entry !== undefined && unattributedCodes.length < CODES_KEPT && !unattributedCodes.includes(entry.code)) {
      unattributedCodes.push(entry.code);
    }
  });
  return isThere ? { failures, unattributed, unattributedCodes } : undefined;
}

/** Reads the lines of a log; false when there is none. */
export async function readLog(blob: BlockBlobClient, read: (line: string) => void): Promise<boolean> {
  try {
    for await (const line of linesOf(blob)) if (line.trim() !== '') read(line);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Codes that only a module can have. */
const MODULE_CODES = new Set<number | string>([
  404010,
  409301,
  413003,
  'ModuleNotFound',
  'ModuleAlreadyExistsOnDevice',
  'TooManyModulesOnDevice',
]);

interface ErrorLine {
  readonly deviceId?: string;
  readonly moduleId?: string;
  readonly code: number | string;
}

/** The members of a line of a log, by their names in lower case, and its code; undefined when it is no JSON object. */
export function parseFields(
  line: string,
): { readonly fields: Readonly<Record<string, unknown>>; readonly code: number | string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = lowerCased(value as Record<string, unknown>);
  const code = fields['errorcode'];
  return { fields, code: typeof code === 'number' || typeof code === 'string' ? code : 'Unknown' };
}

export function parseErrorLine(line: string): ErrorLine | undefined {
  const parsed = parseFields(line);
  if (parsed === undefined) return undefined;
  const { fields, code } = parsed;
  const deviceId = fields['deviceid'];
  const moduleId = fields['moduleid'];
  if (typeof deviceId === 'string' && deviceId !== '') {
    // The shape of module errors is not documented: one without its module must not be put down to the device.
    if (moduleId === undefined && MODULE_CODES.has(code)) return { code };
    return { deviceId, ...(typeof moduleId === 'string' && moduleId !== '' ? { moduleId } : {}), code };
  }
  return { ...quotedIdentity(fields['errorstatus']), code };
}

/** The identity in the input line that an errorStatus quotes ("Invalid device format in line: {…}. Error …"). */
export function quotedIdentity(status: unknown): { deviceId: string; moduleId?: string } | undefined {
  const quoted = typeof status === 'string' ? firstObject(status) : undefined;
  if (quoted === undefined) return undefined;
  try {
    const fields = lowerCased(JSON.parse(quoted) as Record<string, unknown>);
    if (typeof fields['id'] !== 'string') return undefined;
    const moduleId = fields['moduleid'];
    return { deviceId: fields['id'], ...(typeof moduleId === 'string' ? { moduleId } : {}) };
  } catch {
    return undefined;
  }
}

/** The first balanced `{…}` of a text; braces inside JSON strings do not count. */
function firstObject(text: string): string | undefined {
  const start = text.indexOf('{');
  if (start < 0) return undefined;
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{') depth += 1;
    else if (character === '}' && --depth === 0) return text.slice(start, at + 1);
  }
  return undefined;
}

function lowerCased(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field]));
}
