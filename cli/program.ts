import { CommanderError } from 'commander';

import { redact } from '../src/lib/redact.ts';
import { endForLackOfReaders } from './app/interrupt.ts';
import { toCliError } from './cliError.ts';
import { createCommandLine } from './commandLine.ts';
import { EXIT, type ExitCode } from './exitCode.ts';
import { commandText } from './render/commandText.ts';
import { wrapProse } from './render/wrap.ts';

/** The whole life of the process. */
export async function main(args: readonly string[]): Promise<void> {
  // The reader of a pipe may go away (generate … | head), and so may a terminal (EIO): no error, there is nobody left to
  // write to. What was said along the way, on stderr, is missed by nobody; a closed terminal sends SIGHUP besides.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!isLackOfReaders(error)) throw error;
    endForLackOfReaders();
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (!isLackOfReaders(error)) throw error;
  });
  process.exitCode = await run(args);
}

function isLackOfReaders({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'EIO';
}

/** Runs one command line and returns its exit code. Errors are written to stderr; nothing is thrown. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createCommandLine((code) => {
    exitCode = code;
  });
  try {
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.usage;
    }
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help and version come as errors of exit code 0.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    return reportError(error, args);
  }
}

/** Lines that fit the terminal. */
export function errorLines(message: string, hint: string | undefined, columns: number | undefined): readonly string[] {
  const said = wrapProse(`hubkeeper: ${message}`, columns);
  return hint === undefined ? said : [...said, ...wrapProse(hint, columns)];
}

/** One line that says what, one that says what to do. */
function reportError(error: unknown, args: readonly string[]): ExitCode {
  const { message, action, exitCode } = toCliError(error);
  const verb = args.find((arg) => !arg.startsWith('-'));
  const isUnknownVerb = error instanceof CommanderError && error.code === 'commander.unknownCommand';
  const help = `See ${commandText(...(verb === undefined || isUnknownVerb ? [] : [verb]), '--help')}.`;
  const hint = error instanceof CommanderError ? help : action;
  const columns = process.stderr.isTTY ? process.stderr.columns : undefined;
  for (const line of errorLines(message, hint, columns)) process.stderr.write(`${redact(line)}\n`);
  if (process.env.HUBKEEPER_DEBUG && error instanceof Error) process.stderr.write(`${redact(error.stack ?? '')}\n`);
  return exitCode;
}
