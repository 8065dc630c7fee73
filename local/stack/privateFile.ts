import { chmodSync, closeSync, openSync } from 'node:fs';

/** Makes a file, if it is not there, that its owner alone can read, as it is to be where the folder is open to others. */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}
