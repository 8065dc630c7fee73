import { mkdirSync } from 'node:fs';
import { StackError } from './stackError.ts';

/** Makes a folder that only its owner can look into; it may be there already. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StackError(
      `The folder ${path} cannot be made: ${error instanceof Error ? error.message : String(error)}.`,
      { kind: 'usage', action: 'Give a folder that you may write to with --data DIR.', cause: error },
    );
  }
}
