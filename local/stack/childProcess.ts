import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { StackError } from './stackError.ts';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A part of the stack in a process, and a process group, of its own: Ctrl-C in the terminal reaches only the supervisor. */
export interface Child<Ready> {
  readonly name: string;
  readonly pid: number;
  /** What the part said when it was ready. */
  readonly ready: Ready;
  readonly exited: Promise<ChildExit>;
  /** True once `stop` or `kill` was called: its end is no accident. */
  isEnding(): boolean;
  /** SIGTERM, and SIGKILL when it takes longer than `graceMs`. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL, at once. */
  kill(): Promise<void>;
  lastLogLines(): readonly string[];
}

export interface ChildOptions<Ready> {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
  readonly readyTimeoutMs: number;
  /**
   * Where its standard output goes. `pipe`: here, and on to its log but for the ready line, which holds connection strings.
   * `log`: straight into its log; for a part that writes there when it stops, too: it must not fail at that when this
   * process is gone and the pipe with it.
   */
  readonly output: 'pipe' | 'log';
  /** Looks at one line of its output; the first answer other than undefined makes the child ready. */
  readonly parseReady: (line: string) => Ready | undefined;
  /** Called at once with its process id, long before it is ready. */
  readonly onSpawn?: (pid: number) => void;
  readonly signal?: AbortSignal;
}

/** Children of this process that run: none of them outlives it, however it ends. (Only SIGKILL gives it no chance.) */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGTERM');
});

const LAST_LINES = 15;
const TAIL_BYTES = 16 * 1024;

/**
 * Starts `node ARGS…` and waits until it is ready.
 * @throws StackError when it ends, or stays silent for too long, before it is ready.
 */
export async function startChild<Ready>(options: ChildOptions<Ready>): Promise<Child<Ready>> {
  const log = openSync(options.logFile, 'a', 0o600);
  const logStart = fstatSync(log).size;
  const child = spawn(process.execPath, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', options.output === 'pipe' ? 'pipe' : log, log],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  children.add(child);
  const exited = exitOf(child);
  void exited.then(() => children.delete(child));
  // Later than `exited`: what it had still to say has been read by then.
  child.once('close', () => closeSync(log));

  let ending = false;
  const runs = (): boolean => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  const kill = async (): Promise<void> => {
    ending = true;
    if (runs()) killGroup(child);
    await exited;
  };
  const stop = async (graceMs: number): Promise<void> => {
    ending = true;
    // Only the part itself: what it has started is its own to stop.
    if (runs()) child.kill('SIGTERM');
    const timer = setTimeout(() => void kill(), graceMs);
    await exited;
    clearTimeout(timer);
  };
  const lastLogLines = (): readonly string[] => tailOf(options.logFile);

  try {
    if (child.pid !== undefined) options.onSpawn?.(child.pid);
    const ready = await Promise.race([
      child.stdout === null
        ? readyLineInFile(options, logStart, exited)
        : readyLineInStream(child.stdout, options, (line) => writeSync(log, `${line}\n`)),
      failureToStart(options, exited),
    ]);
    if (child.pid === undefined) throw new StackError(`${options.name} has no process id.`);
    return { name: options.name, pid: child.pid, ready, exited, isEnding: () => ending, stop, kill, lastLogLines };
  } catch (error) {
    await kill();
    throw error;
  }
}

function killGroup(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) {
    child.kill('SIGKILL');
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    // Emitted instead of `exit` when the program could not be run at all.
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}

/** The first line that makes the child ready is for this process only; all others go on to `log`. */
function readyLineInStream<Ready>(
  stream: Readable,
  { parseReady }: ChildOptions<Ready>,
  log: (line: string) => void,
): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let isReady = false;
    createInterface({ input: stream }).on('line', (line) => {
      try {
        const answer = isReady ? undefined : parseReady(line);
        if (answer === undefined) {
          log(line);
          return;
        }
        isReady = true;
        resolve(answer);
      } catch (error) {
        reject(error);
      }
    });
  });
}

const FOLLOW_MS = 50;

/** Reads the log as it grows. Never settles when the child ends before it is ready. */
function readyLineInFile<Ready>(
  { logFile, parseReady }: ChildOptions<Ready>,
  from: number,
  exited: Promise<ChildExit>,
): Promise<Ready> {
  return new Promise((resolve) => {
    let seen = 0;
    const timer = setInterval(() => {
      const lines = readFileSync(logFile).subarray(from).toString('utf8').split('\n').slice(0, -1);
      for (const line of lines.slice(seen)) {
        const answer = parseReady(line);
        if (answer === undefined) continue;
        clearInterval(timer);
        resolve(answer);
      }
      seen = lines.length;
    }, FOLLOW_MS);
    void exited.then(() => clearInterval(timer));
  });
}

/** Rejects when the child ends, is told to stop, or takes too long; never resolves. */
async function failureToStart<Ready>(options: ChildOptions<Ready>, exited: Promise<ChildExit>): Promise<never> {
  const timeout = AbortSignal.timeout(options.readyTimeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const end = await Promise.race([exited, once(signal, 'abort')]);
  if (options.signal?.aborted) {
    throw new StackError(`${options.name} was stopped while it started.`, { kind: 'stopped' });
  }
  const what = Array.isArray(end)
    ? `was not ready within ${options.readyTimeoutMs / 1000} s`
    : `ended while it started (${describeExit(end)})`;
  throw new StackError([`${options.name} ${what}.`, ...tailOf(options.logFile)].join('\n  '), {
    action: `See ${options.logFile}.`,
  });
}

export function describeExit({ code, signal }: ChildExit): string {
  if (signal !== null) return `signal ${signal}`;
  return code === null ? 'it could not be run' : `exit code ${code}`;
}

/** Begins a new log; the one before it is kept as `NAME.1.log`. */
export function rotateLog(path: string): void {
  if (existsSync(path)) renameSync(path, path.replace(/\.log$/, '.1.log'));
}

/** The last lines; of a log of any size only its end is read. */
function tailOf(path: string): readonly string[] {
  try {
    const file = openSync(path, 'r');
    try {
      const end = Buffer.alloc(TAIL_BYTES);
      const read = readSync(file, end, 0, TAIL_BYTES, Math.max(0, fstatSync(file).size - TAIL_BYTES));
      return end.toString('utf8', 0, read).trimEnd().split('\n').slice(-LAST_LINES);
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}
