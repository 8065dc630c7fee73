/** Backups for tests, as they lie in storage. */

import { createHash } from 'node:crypto';

import { type BackupManifest, sealed } from '../../../src/lib/backup/manifest.ts';
import { BACKUPS_CONTAINER, type Storage } from '../../../src/lib/storage/storage.ts';

export const FILES = {
  'devices.txt':
    '{"id":"d1","status":"enabled"}\n{"id":"d1","moduleId":"m","status":"enabled"}\n{"id":"dä","moduleId":null,"status":"enabled"}\n',
  'configurations.txt': '{"id":"c1"}\n',
  'extras.ndjson': '',
} as const;

export function fileOf(text: string) {
  return {
    bytes: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
    lines: text.split('\n').filter((line) => line.startsWith('{')).length,
  };
}

export function manifestOf(
  name: string,
  changes: Partial<BackupManifest> = {},
  files: Readonly<Record<keyof typeof FILES, string>> = FILES,
): BackupManifest {
  return {
    version: 1,
    backup: name,
    runId: '0123456789abcdef0123',
    hub: 'hub-1',
    hubHost: 'hub-1.azure-devices.net',
    startedAt: '2026-11-20T02:00:00.000Z',
    takenAt: '2026-11-20T02:00:01.000Z',
    finishedAt: '2026-11-20T02:05:00.000Z',
    keys: 'included',
    devices: 2,
    modules: 1,
    configurations: 1,
    registry: { before: 2, after: 2 },
    files: {
      'devices.txt': fileOf(files['devices.txt']),
      'configurations.txt': fileOf(files['configurations.txt']),
      'extras.ndjson': fileOf(files['extras.ndjson']),
    },
    extrasComplete: true,
    verifiedAt: '2026-11-20T02:04:59.000Z',
    job: { jobId: 'job', status: 'completed' },
    ...changes,
  };
}

export async function put(storage: Storage, blobName: string, text: string | Buffer): Promise<void> {
  const container = storage.container(BACKUPS_CONTAINER);
  await container.createIfNotExists();
  await container.getBlockBlobClient(blobName).upload(text, Buffer.byteLength(text));
}

/** A good backup, or one with another manifest, sealed (null: it has none). */
export async function putBackup(
  storage: Storage,
  name: string,
  manifest: object | null = manifestOf(name),
  files: Readonly<Record<string, string>> = FILES,
): Promise<void> {
  for (const [file, text] of Object.entries(files)) await put(storage, `${name}/${file}`, text);
  if (manifest !== null)
    await put(storage, `${name}/manifest.json`, JSON.stringify(sealed(manifest as BackupManifest)));
}
