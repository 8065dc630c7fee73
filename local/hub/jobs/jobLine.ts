import { HubError } from '../http/hubError.ts';
import { ConversionError } from '../wire/jsonNet.ts';
import { parseNumbers, stringifyNumbers } from '../wire/numbers.ts';
import { type RegistryLine, readRegistryLine } from '../wire/registryLine.ts';

/** One entry of importErrors.log. A line that cannot be read has no device id. */
export interface LineError {
  readonly deviceId?: string;
  readonly moduleId?: string;
  readonly errorCode: number;
  readonly errorStatus: string;
}

/**
 * Reads one line of an import. Throws HubError 400012 whose text quotes the whole line, keys included: so does the
 * live hub (https://github.com/Azure/azure-iot-sdk-java/issues/1599).
 */
export function parseLine(text: string): RegistryLine {
  return parseJsonLine(text, 'device', (value) => readRegistryLine(value));
}

/** Reads one JSON line by `read`; `what` names the format in the error. */
export function parseJsonLine<T>(text: string, what: 'device' | 'configuration', read: (value: unknown) => T): T {
  const fail = (reason: string): never => {
    throw new HubError('DeserializationError', `Invalid ${what} format in line: ${text}. ${reason}`);
  };
  let value: unknown;
  try {
    value = what === 'device' ? parseNumbers(text) : JSON.parse(text);
  } catch {
    return fail(
      `Unexpected character encountered while parsing value: ${text.slice(0, 1)}. Path '', line 1, position 1.`,
    );
  }
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    return fail(`${error.message} Path '${error.path}', line 1, position ${positionOf(text, error.value)}.`);
  }
}

/** Where the offending value ends in the line, as Json.NET counts. */
function positionOf(text: string, value: unknown): number {
  const shown = value === undefined ? undefined : stringifyNumbers(value);
  const at = shown === undefined ? -1 : text.indexOf(shown);
  return at < 0 || shown === undefined ? text.length : at + shown.length;
}

export function lineError(error: HubError, line: Pick<RegistryLine, 'deviceId' | 'moduleId'> | undefined): LineError {
  return {
    ...(line && { deviceId: line.deviceId }),
    ...(line && line.moduleId !== '' && { moduleId: line.moduleId }),
    errorCode: error.number,
    errorStatus: error.message,
  };
}
