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
  // A terminal that is read line by line gives Ctrl-C and the end of the input to its reader.
  const given = new AbortController();
  terminal.on('SIGINT', () => process.emit('SIGINT'));
  terminal.on('close', () => given.abort());
  let typed: string;
  try {
    typed = await terminal.question(`${question} Type its name (${name}) to go on: `, {
      signal: AbortSignal.any([signal, given.signal]),
    });
  } catch (error) {
    if (signal.aborted) throw new CliError(EXIT.interrupted, 'Interrupted: nothing was changed.');
    if (!given.signal.aborted) throw error;
    typed = '';
  } finally {
    terminal.close();
  }
  if (typed.trim().toLowerCase() === name.toLowerCase()) return typed.trim();
  throw usageError('That is not the name of the hub: nothing was changed.', `Its name is ${name}.`);
}
