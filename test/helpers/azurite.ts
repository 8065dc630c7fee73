import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectOutput, endProcess } from './childOutput.ts';

/** The account and key that every Azurite has: no secret (https://learn.microsoft.com/azure/storage/common/storage-use-azurite). */
export const azuriteAccount = 'devstoreaccount1';
export const azuriteKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface Azurite {
  readonly connectionString: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly tableUrl: string;
  stop(): Promise<void>;
}

/** Starts Azurite as a process of its own, on ports that the system chooses, with its data in a new temporary folder. */
export async function startAzurite(): Promise<Azurite> {
  const location = await mkdtemp(join(tmpdir(), 'azurite-'));
  const script = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const ports = ['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'];
  const child = spawn(
    process.execPath,
    [script, ...ports, '--location', location, '--silent', '--skipApiVersionCheck', '--disableTelemetry'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const output = collectOutput(child, child.stdout);
  const stop = async () => {
    await endProcess(child, 'SIGTERM');
    await rm(location, { recursive: true, force: true });
  };
  const url = async (service: string) => {
    const pattern = new RegExp(`${service} service is successfully listening at (http://\\S+)`);
    const text = await output.waitFor((written) => pattern.test(written), `ready line of Azurite's ${service} service`);
    return `${pattern.exec(text)?.[1]}/${azuriteAccount}`;
  };
  try {
    const [blobUrl, queueUrl, tableUrl] = await Promise.all([url('Blob'), url('Queue'), url('Table')]);
    const account = `DefaultEndpointsProtocol=http;AccountName=${azuriteAccount};AccountKey=${azuriteKey};`;
    const connectionString = `${account}BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};TableEndpoint=${tableUrl};`;
    return { connectionString, blobUrl, queueUrl, tableUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs `use` with an Azurite of its own and stops it afterwards, whatever happened. */
export async function withAzurite<T>(use: (azurite: Azurite) => Promise<T>): Promise<T> {
  const azurite = await startAzurite();
  try {
    return await use(azurite);
  } finally {
    await azurite.stop();
  }
}
