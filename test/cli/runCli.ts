import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { projectRoot } from '../../local/stack/projectRoot.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly process: ChildProcess;
  stderr(): string;
  readonly result: Promise<CliResult>;
}

/**
 * Starts the real command as a process of its own, with nothing of this machine's settings in its environment.
 *
 * @param through a command that runs the one that is given to it
 */
export function startCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): RunningCli {
  const { PATH = '', HOME = '', TMPDIR = '/tmp', NODE_COMPILE_CACHE = '' } = process.env;
  const [command = '', ...words] = [...through, process.execPath, join(projectRoot(), 'cli', 'main.ts'), ...args];
  const child = spawn(command, words, {
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    process: child,
    stderr: () => stderr,
    result: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })),
  };
}

export function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  return startCli(args, environment).result;
}
