import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { makeFolder } from '../stack/makeFolder.ts';

/** Where an app has its keys and durable state when nothing is said: apart from all others. */
export function defaultDataFolder(appDirectory: string): string {
  const name = basename(appDirectory)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 30);
  const hash = createHash('sha256').update(appDirectory).digest('hex').slice(0, 8);
  return resolve('.hubkeeper', 'hosts', `${name}-${hash}`);
}

const FILE = 'app.json';

/**
 * Makes the data folder if need be, and notes whose it is: orchestrations that an app does not know fail, so two apps on
 * one folder would end each other's runs.
 *
 * @throws Error when it is another app's. One that has moved, or is newer, is the same app.
 */
export function enterDataFolder(data: string, appDirectory: string): void {
  makeFolder(data);
  const path = join(data, FILE);
  const app = identityOf(appDirectory);
  if (!existsSync(path)) {
    writeFileSync(path, `${JSON.stringify({ app })}\n`, { mode: 0o600 });
    return;
  }
  const owner = ownerOf(path);
  if (owner !== app) {
    throw new Error(
      `${data} holds the durable data of another app (${owner}): each would end the other's runs. ` +
        `Give this one a folder of its own with --data, or delete ${path} if it is the same app under a new name.`,
    );
  }
}

/** The name in package.json: it stays when the folder moves. */
function identityOf(appDirectory: string): string {
  try {
    const { name } = JSON.parse(readFileSync(join(appDirectory, 'package.json'), 'utf8')) as {
      readonly name?: unknown;
    };
    return typeof name === 'string' && name !== '' ? name : appDirectory;
  } catch {
    // Loading the app says what is wrong with the file.
    return appDirectory;
  }
}

function ownerOf(path: string): string {
  try {
    const { app } = JSON.parse(readFileSync(path, 'utf8')) as { readonly app?: unknown };
    if (typeof app === 'string') return app;
  } catch {
    // Told below.
  }
  throw new Error(`${path} is not what a host wrote. Delete it; the data beside it stays as it is.`);
}
