import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { TableClient, TableServiceClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';

import type { TestStack } from '../helpers/stack.ts';

/** Containers and blobs that may hold keys (see "What lies where in storage" in docs/provisioning.md). */
const MAY_HOLD_KEYS = [
  /^provision\//,
  /^provision-results\/.*\/(failed-devices\.txt|rejected-lines\.(txt|csv))$/,
  /^hubkeeper-run-[0-9a-f]{20}\//,
  /^registry-backups\/.*\/(devices|configurations)\.txt$/,
];

/** Of what somebody else has put into an Event Hub, the event as it came may hold whatever it held; nothing else of the letter. */
const DEAD_LETTER = /^hubkeeper-mirror\/dead-letters\//;

/** What no place may hold, whatever the inputs were: signatures and account or policy keys by their names, tokens by their form. */
export const NAMED_SECRETS =
  /(?:[?&]|%26|\\u0026)sig=[A-Za-z0-9%+/_-]{20,}|Shared(?:Access)?Key=[A-Za-z0-9+/]{20,}|AccountKey=[A-Za-z0-9+/]{20,}|SharedAccessSignature sr=|eyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\./;

export interface Finding {
  readonly place: string;
  readonly what: string;
}

/**
 * Searches everything that the app, the host and storage have kept for the given secrets: durable SQLite files, blobs,
 * queues and tables (by their own files and by the API), logs, HTTP answers.
 */
export async function findSecrets(stack: TestStack, secrets: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const search = (place: string, content: Buffer | string, named = true): void => {
    const text = typeof content === 'string' ? content : content.toString('latin1');
    for (const secret of secrets) {
      const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
      if (forms.some((form) => text.includes(form))) findings.push({ place, what: 'a secret of the input' });
    }
    const match = named ? NAMED_SECRETS.exec(text) : null;
    if (match !== null) findings.push({ place, what: match[0].slice(0, 12) });
  };

  for await (const { name: container } of stack.blobs.listContainers()) {
    for await (const { name } of stack.blobs.getContainerClient(container).listBlobsFlat({ includeMetadata: true })) {
      const place = `${container}/${name}`;
      search(`name of ${place}`, place);
      if (MAY_HOLD_KEYS.some((pattern) => pattern.test(place))) continue;
      const content = await stack.read(container, name);
      search(place, DEAD_LETTER.test(place) ? withoutRaw(content) : content);
    }
  }

  const queues = QueueServiceClient.fromConnectionString(stack.storageConnectionString);
  for await (const { name } of queues.listQueues()) {
    const { peekedMessageItems } = await queues.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    for (const { messageText } of peekedMessageItems) {
      search(`queue ${name}`, messageText);
      search(`queue ${name}, decoded`, Buffer.from(messageText, 'base64'));
    }
  }

  // In their file, what is binary is not to be read.
  const insecure = { allowInsecureConnection: true };
  const tables = TableServiceClient.fromConnectionString(stack.storageConnectionString, insecure);
  for await (const { name = '' } of tables.listTables()) {
    const table = TableClient.fromConnectionString(stack.storageConnectionString, name, insecure);
    for await (const entity of table.listEntities()) {
      for (const [property, value] of Object.entries(entity)) {
        search(
          `table ${name}, ${property} of ${entity.rowKey}`,
          value instanceof Uint8Array ? Buffer.from(value) : String(value),
        );
      }
    }
  }

  for (const path of filesIn(join(stack.data, 'host'))) search(path, readFileSync(path), !path.endsWith('keys.json'));
  for (const path of filesIn(join(stack.data, 'logs'))) search(path, readFileSync(path));
  for (const path of filesIn(join(stack.data, 'azurite')).filter(
    (name) => /queue|table/i.test(name) && statSync(name).isFile(),
  )) {
    search(path, readFileSync(path));
  }

  const get = async (url: string): Promise<string> => (await fetch(url)).text();
  search('GET runs', await get(`${stack.apiUrl}/runs`));
  for (const path of ['health', 'mirror', 'devices?modules=true&limit=1000', 'devices/count']) {
    search(`GET ${path}`, await get(`${stack.apiUrl}/${path}`));
  }
  const instances = new URL('/runtime/webhooks/durabletask/instances/', stack.adminUrl).href;
  const all = await get(instances);
  search('durable instances', all);
  for (const { instanceId } of JSON.parse(all) as { instanceId: string }[]) {
    search(
      `history of ${instanceId}`,
      await get(`${instances}${instanceId}?showHistory=true&showHistoryOutput=true&showInput=true`),
    );
  }
  return findings;
}

function withoutRaw(letter: string): string {
  const { raw: _raw, ...told } = JSON.parse(letter) as { readonly raw?: unknown };
  return JSON.stringify(told);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
