import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectOutput, endProcess } from './childOutput.ts';

export interface Azurite {
  readonly connectionString: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly tableUrl: string;
  stop(): Promise<void>;
}

/** An Azurite that runs, and what it can be asked as. */
export interface SharedAzurite {
  /** `http://127.0.0.1:PORT`, by service. */
  readonly urls: Readonly<Record<(typeof SERVICES)[number], string>>;
  /** Folder that holds one of its own for each account that is taken. */
  readonly taken: string;
}

const SERVICES = ['Blob', 'Queue', 'Table'] as const;
/** Where tests find the Azurite that they share. */
const SHARED = 'HUBKEEPER_TEST_AZURITE';
/** More than there are test files. */
const ACCOUNTS = 300;

const accountName = (index: number): string => `account${index}`;
/** No secret: for a storage on the loopback address. */
const accountKey = (index: number): string => Buffer.from(accountName(index).padEnd(32, '.')).toString('base64');

/** An empty storage account: of the Azurite that all tests share, where there is one, else of one of its own. */
export async function startAzurite(): Promise<Azurite> {
  const shared = process.env[SHARED];
  if (shared !== undefined) return takeAccount(JSON.parse(shared) as SharedAzurite);
  const { azurite, stop } = await runAzurite();
  return { ...takeAccount(azurite), stop };
}

/** Starts an Azurite for all tests of this process and its workers; the function stops it. */
export async function shareAzurite(): Promise<() => Promise<void>> {
  // The projects of vitest have the same setup.
  if (process.env[SHARED] !== undefined) return async () => undefined;
  const { azurite, stop } = await runAzurite();
  process.env[SHARED] = JSON.stringify(azurite);
  return stop;
}

function takeAccount({ urls, taken }: SharedAzurite): Azurite {
  const index = Array.from({ length: ACCOUNTS }, (_, at) => at).find((at) => isNew(join(taken, String(at))));
  if (index === undefined) throw new Error(`All ${ACCOUNTS} accounts of the shared Azurite are taken.`);
  const name = accountName(index);
  const [blobUrl, queueUrl, tableUrl] = [`${urls.Blob}/${name}`, `${urls.Queue}/${name}`, `${urls.Table}/${name}`];
  const account = `DefaultEndpointsProtocol=http;AccountName=${name};AccountKey=${accountKey(index)};`;
  const connectionString = `${account}BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};TableEndpoint=${tableUrl};`;
  return { connectionString, blobUrl, queueUrl, tableUrl, stop: async () => undefined };
}

function isNew(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Starts Azurite as a process of its own, on ports that the system chooses, with its data in a new temporary folder. */
async function runAzurite(): Promise<{ readonly azurite: SharedAzurite; readonly stop: () => Promise<void> }> {
  const location = await mkdtemp(join(tmpdir(), 'azurite-'));
  const taken = join(location, 'accounts');
  mkdirSync(taken);
  const script = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const ports = ['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'];
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => `${accountName(index)}:${accountKey(index)}`);
  const child = spawn(
    process.execPath,
    [script, ...ports, '--location', location, '--silent', '--skipApiVersionCheck', '--disableTelemetry'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, AZURITE_ACCOUNTS: accounts.join(';') } },
  );
  const output = collectOutput(child, child.stdout);
  const stop = async () => {
    await endProcess(child, 'SIGTERM');
    await rm(location, { recursive: true, force: true });
  };
  const url = async (service: (typeof SERVICES)[number]) => {
    const pattern = new RegExp(`${service} service is successfully listening at (http://\\S+)`);
    const text = await output.waitFor((written) => pattern.test(written), `ready line of Azurite's ${service} service`);
    return [service, pattern.exec(text)?.[1] ?? ''] as const;
  };
  try {
    const urls = Object.fromEntries(await Promise.all(SERVICES.map(url))) as SharedAzurite['urls'];
    return { azurite: { urls, taken }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
