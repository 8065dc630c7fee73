import { createInterface } from 'node:readline/promises';

import { CliError, usageError } from '../cliError.ts';
import { EXIT } from '../exitCode.ts';

/** Whether there is somebody to ask. */
export function canAsk({ json }: { readonly json: boolean }): boolean {
  return !json && process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks for the name of the hub that is to be written to.
 *
 * @throws CliError when another is typed, or nothing
 */
export async function askName(name: string, question: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = (await terminal.question(`${question} Type its name (${name}) to go on: `, { signal })).trim();
    if (typed.toLowerCase() === name.toLowerCase()) return typed;
    throw usageError('That is not the name of the hub: nothing was changed.', `Its name is ${name}.`);
  } catch (error) {
    if (signal.aborted) throw new CliError(EXIT.interrupted, 'Interrupted: nothing was changed.');
    throw error;
  } finally {
    terminal.close();
  }
}
