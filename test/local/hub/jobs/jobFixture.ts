import { BlobServiceClient, type ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';
import { eventually } from '../../../helpers/eventually.ts';
import type { Answer, HubClient } from '../hubClient.ts';

let containers = 0;

/** A new private container. */
export async function createContainer(connectionString: string): Promise<ContainerClient> {
  containers += 1;
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const container = service.getContainerClient(`test-${process.pid}-${containers}`);
  await container.create();
  return container;
}

export function sasUri(container: ContainerClient, permissions = 'rwd', expiresOn = new Date(Date.now() + 3_600_000)) {
  return container.generateSasUrl({ permissions: ContainerSASPermissions.parse(permissions), expiresOn });
}

export async function upload(container: ContainerClient, name: string, text: string): Promise<void> {
  await container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
}

export async function download(container: ContainerClient, name: string): Promise<string> {
  return (await container.getBlobClient(name).downloadToBuffer()).toString();
}

/** The JSON lines of a blob; plain text lines are left out. */
export async function jsonLines(container: ContainerClient, name: string) {
  const lines = (await download(container, name)).split(/\r?\n/).filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line));
}

export function createJob(client: HubClient, body: object): Promise<Answer> {
  return client.call('POST', '/jobs/create', { body });
}

/** Waits until a job has ended; its record. */
export async function endOfJob(client: HubClient, jobId: string) {
  return eventually(async () => {
    const { body } = await client.call('GET', `/jobs/${jobId}`);
    return ['completed', 'failed', 'cancelled'].includes(body.status) ? body : undefined;
  }, `end of job ${jobId}`);
}

/** Imports the lines given and returns the error log. */
export async function importLines(client: HubClient, container: ContainerClient, lines: readonly (object | string)[]) {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  await upload(container, 'devices.txt', text);
  const uri = await sasUri(container);
  const { body } = await createJob(client, { type: 'import', inputBlobContainerUri: uri, outputBlobContainerUri: uri });
  const record = await endOfJob(client, body.jobId);
  if (record.status !== 'completed') throw new Error(`The import ended as ${record.status}: ${record.failureReason}`);
  return jsonLines(container, 'importErrors.log');
}
