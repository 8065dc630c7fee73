/** Which hub is meant, as far as the command line can tell. */

import { CliError, usageError } from '../cliError.ts';
import { EXIT } from '../exitCode.ts';
import { readApp } from './apiCall.ts';
import type { Connection } from './connection.ts';

/**
 * @param words of the command that names the hub of an alias
 * @throws CliError where the app has several hubs and none of them is named, or one that it does not have
 */
export function demandHub(
  connection: Connection,
  hub: string | undefined,
  words: (alias: string) => readonly string[],
): void {
  const aliases = aliasesOf(connection);
  if (aliases.length === 0 || (hub === undefined ? aliases.length === 1 : aliases.includes(hub))) return;
  throw usageError(
    hub === undefined
      ? `The app has ${aliases.length} hubs: ${aliases.join(', ')}. Which of them is meant?`
      : unknownText(hub, aliases),
    `Name it: ${connection.command(...words(aliases.length === 1 ? (aliases[0] ?? '') : 'ALIAS'))}`,
  );
}

/**
 * For a list that has come out empty: nothing, or a slip in the alias?
 *
 * @throws CliError when the app has no such hub; where there is nobody to ask, nobody can tell
 */
export async function demandKnownHub(
  connection: Connection,
  hub: string | undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  if (hub === undefined) return;
  const aliases = aliasesOf(connection);
  if (aliases.length > 0 && !aliases.includes(hub)) throw usageError(unknownText(hub, aliases), 'Name one of these.');
  if (aliases.length > 0 || connection.api === undefined) return;
  const path = `backups?hub=${encodeURIComponent(hub)}&limit=1`;
  await readApp(connection, { path, doing: 'looking for a hub', signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    // The list itself does not need the app, which may be down.
    if (error instanceof CliError && error.exitCode === EXIT.usage) throw error;
  });
}

function aliasesOf({ hubs = {} }: Connection): readonly string[] {
  return Object.keys(hubs).toSorted();
}

function unknownText(hub: string, aliases: readonly string[]): string {
  return `The app has no hub ${hub}. It has: ${aliases.join(', ')}.`;
}
