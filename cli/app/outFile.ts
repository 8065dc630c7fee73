import { usageError } from '../cliError.ts';

/** Why a file could not be written that was named with `--out`; what is no matter of its name comes back as it is. */
export function outFileError(error: unknown, path: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EISDIR':
      return usageError(`${path} is a directory.`, 'Give the name of a file with --out.');
    case 'ENOENT':
      return usageError(`${path} cannot be made: its folder is not there.`, 'Make the folder first.');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return usageError(`${path} may not be written.`, 'Give another file with --out.');
    default:
      return error;
  }
}
