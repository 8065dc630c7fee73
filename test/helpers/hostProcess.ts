import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectOutput, endProcess, type Output } from './childOutput.ts';

const main = fileURLToPath(new URL('../../local/host/main.ts', import.meta.url));

export interface HostProcess {
  /** `http://127.0.0.1:PORT/api` */
  readonly apiUrl: string;
  /** `http://127.0.0.1:PORT/admin` */
  readonly adminUrl: string;
  /** `http://127.0.0.1:PORT` */
  readonly baseUrl: string;
  readonly functions: readonly string[];
  readonly process: ChildProcess;
  /** What the host logged (standard error). */
  readonly log: Output;
  /** Clean stop (SIGTERM); the exit code. */
  stop(): Promise<number | null>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

export interface StartHostOptions {
  /** Added to the environment of the host; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Further command line options, e.g. `['--unkind=7']`. */
  readonly args?: readonly string[];
  /** The host's data folder; without it a new temporary one, deleted at the end. */
  readonly data?: string;
}

export interface HostRun {
  readonly process: ChildProcess;
  readonly stdout: Output;
  readonly log: Output;
  /** Deletes the data folder if this run made it. */
  cleanUp(): Promise<void>;
}

/** Starts a host process without waiting for anything: for hosts that are expected to refuse the app. */
export async function spawnHost(directory: string, options: StartHostOptions = {}): Promise<HostRun> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'host-')));
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  for (const [name, value] of Object.entries(env)) {
    // Vitest's own variables would reach the app under test.
    if (value === undefined || name.startsWith('VITEST') || name === 'NODE_ENV') {
      delete env[name];
    }
  }
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, directory, '--json', '--data', data, ...(options.args ?? [])],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return {
    process: child,
    stdout: collectOutput(child, child.stdout),
    log: collectOutput(child, child.stderr),
    async cleanUp() {
      if (options.data === undefined) {
        await rm(data, { recursive: true, force: true });
      }
    },
  };
}

/** Starts the Functions host on an app folder and waits for its ready line. */
export async function startHost(directory: string, options: StartHostOptions = {}): Promise<HostProcess> {
  const run = await spawnHost(directory, options);
  const end = async (signal: NodeJS.Signals) => {
    const code = await endProcess(run.process, signal);
    await run.cleanUp();
    return code;
  };
  let ready: string;
  try {
    ready = await run.stdout.waitFor((text) => text.includes('\n'), 'ready line of the host');
  } catch (error) {
    await end('SIGKILL');
    throw new Error(`${error instanceof Error ? error.message : error}\nIts log:\n${run.log.text()}`);
  }
  const { apiUrl, adminUrl, functions } = JSON.parse(ready) as Pick<HostProcess, 'apiUrl' | 'adminUrl' | 'functions'>;
  return {
    apiUrl,
    adminUrl,
    baseUrl: adminUrl.replace(/\/admin$/, ''),
    functions,
    process: run.process,
    log: run.log,
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
    },
  };
}
