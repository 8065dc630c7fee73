import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Child, startChild } from './childProcess.ts';
import { makeFolder } from './makeFolder.ts';
import { StackError } from './stackError.ts';

export interface AzuriteReady {
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
}

export interface AzuriteOptions {
  /** Folder that keeps the blobs, queues and tables. */
  readonly location: string;
  readonly ports: { readonly blob: number; readonly queue: number; readonly table: number };
  readonly logFile: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly readyTimeoutMs: number;
  readonly onSpawn?: (pid: number) => void;
  readonly signal?: AbortSignal;
}

/** Azurite prints this once a service; with port 0 the line names the port that the system gave. */
const LISTENING = /^Azurite (Blob|Queue|Table) service is successfully listening at https?:\/\/[^:]+:(\d+)/;

/** Blob, queue and table service of Azurite, all on the loopback address. Data is on disk when it has been stopped; killed, it may lose the last five seconds. */
export async function startAzurite(options: AzuriteOptions): Promise<Child<AzuriteReady>> {
  makeFolder(options.location);
  const ports = new Map<string, number>();
  return startChild({
    name: 'Azurite',
    args: [
      azuriteProgram(),
      '--silent',
      '--disableTelemetry',
      // The storage SDKs speak newer versions of the API than Azurite has heard of.
      '--skipApiVersionCheck',
      ...['--location', options.location],
      ...['--blobHost', '127.0.0.1', '--blobPort', String(options.ports.blob)],
      ...['--queueHost', '127.0.0.1', '--queuePort', String(options.ports.queue)],
      ...['--tableHost', '127.0.0.1', '--tablePort', String(options.ports.table)],
      ...(options.args ?? []),
    ],
    // Azurite drops its files into the working folder when it has no better place.
    cwd: options.location,
    env: options.env,
    logFile: options.logFile,
    readyTimeoutMs: options.readyTimeoutMs,
    ...(options.onSpawn === undefined ? {} : { onSpawn: options.onSpawn }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    output: 'log',
    parseReady: (line) => {
      const [, service, port] = LISTENING.exec(line) ?? [];
      if (service !== undefined) ports.set(service, Number(port));
      const [blob, queue, table] = ['Blob', 'Queue', 'Table'].map((name) => ports.get(name));
      return blob === undefined || queue === undefined || table === undefined ? undefined : { blob, queue, table };
    },
  });
}

/** Azurite's one account has a name and a key that everybody knows (Azurite README, "Default Storage Account"). */
export function azuriteConnectionString(ports: AzuriteReady, protocol: 'http' | 'https' = 'http'): string {
  const account = 'devstoreaccount1';
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
  const endpoint = (port: number): string => `${protocol}://127.0.0.1:${port}/${account}`;
  return [
    `DefaultEndpointsProtocol=${protocol}`,
    `AccountName=${account}`,
    `AccountKey=${key}`,
    `BlobEndpoint=${endpoint(ports.blob)}`,
    `QueueEndpoint=${endpoint(ports.queue)}`,
    `TableEndpoint=${endpoint(ports.table)}`,
  ].join(';');
}

function azuriteProgram(): string {
  const require = createRequire(import.meta.url);
  try {
    return join(require.resolve('azurite/package.json'), '..', 'dist', 'src', 'azurite.js');
  } catch (error) {
    throw new StackError('Azurite, which stands in for Azure Storage, is not installed.', {
      kind: 'usage',
      action: 'Run npm ci in the folder of HubKeeper; the local stack needs its development dependencies.',
      cause: error,
    });
  }
}
