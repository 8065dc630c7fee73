import type { FileRefused } from '../../src/lib/textFile/fileRefused.ts';
import { type CliError, usageError } from '../cliError.ts';

/** The error to show for a file that can be no devices file. */
export function refusedFile(path: string, { line, message, action }: FileRefused): CliError {
  return usageError(`${path}${line === undefined ? '' : `, line ${line}`}: ${message}`, action);
}
