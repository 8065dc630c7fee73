import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mintPolicies, type Policy } from './policies.ts';

/** What a hub keeps of itself, so that connection strings survive a restart. */
export interface SavedHub {
  readonly name: string;
  readonly policies: readonly Policy[];
  readonly port: number;
  readonly adminPort: number;
  readonly eventPort: number;
}

const FILE = 'hub.json';

/** The hub saved in a data folder, or a new one. */
export function loadHub(folder: string | undefined): SavedHub {
  const fresh = { name: 'hub-local', policies: mintPolicies(), port: 0, adminPort: 0, eventPort: 0 };
  if (folder === undefined) return fresh;
  let text: string;
  try {
    text = readFileSync(join(folder, FILE), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return fresh;
    throw error;
  }
  try {
    // A file of before has no port of events.
    return { eventPort: 0, ...(JSON.parse(text) as Omit<SavedHub, 'eventPort'> & Partial<SavedHub>) };
  } catch (error) {
    throw new Error(`${join(folder, FILE)} is no JSON: repair it, or delete it for new keys.`, { cause: error });
  }
}

/** Saves the hub for its owner's eyes only: the file holds the keys of the policies. */
export function saveHub(folder: string | undefined, hub: SavedHub): void {
  if (folder === undefined) return;
  writeFileSync(join(folder, FILE), `${JSON.stringify(hub, undefined, 2)}\n`, { mode: 0o600 });
}
