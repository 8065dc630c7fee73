/** Work that writes to a hub, and so has to be confirmed by the hub's name. */

import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { usageError } from '../cliError.ts';
import type { CommandText } from '../render/commandText.ts';
import { askApp, demandApi, postTo } from './apiCall.ts';
import { askName, canAsk } from './askName.ts';
import type { Connection } from './connection.ts';

export interface ConfirmedWork {
  /** `restores`, as the API has it. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly confirm: string | undefined;
  /** `restoring`, as in "restoring goes through the HTTP API". */
  readonly doing: string;
  /** Asked of a person at a terminal, with the name of the hub; shows first what would be done. */
  ask(hub: string): Promise<string>;
  /** Of the body, what was shown when it was asked: `latest` may be another backup by the time of the answer. */
  shown?(): Readonly<Record<string, unknown>>;
  /** What to type in a script. */
  command(confirm: string): string;
}

/**
 * Has the app begin the work. Without a confirmation the app says which name it needs: a person is asked for it, and a
 * script is told what to type.
 *
 * @throws CliError when it is not confirmed, or refused
 */
export async function beginConfirmed(
  connection: Connection,
  work: ConfirmedWork,
  output: { readonly json: boolean },
  signal: AbortSignal,
): Promise<WorkRun> {
  const { path, body, doing } = work;
  if (work.confirm !== undefined) return askApp<WorkRun>(connection, path, { ...body, confirm: work.confirm }, doing);
  const { text } = await postTo(demandApi(connection, doing), path, body);
  const name = nameNeeded(text);
  // Whatever else is wrong is told in the words of the app.
  if (name === undefined) return askApp<WorkRun>(connection, path, body, doing);
  if (!canAsk(output)) {
    throw usageError(
      `This writes to the hub ${name}, and needs its name as a confirmation.`,
      `Type ${work.command(name)}`,
    );
  }
  const confirm = await askName(name, await work.ask(name), signal);
  return askApp<WorkRun>(connection, path, { ...body, ...work.shown?.(), confirm }, doing);
}

function nameNeeded(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly code?: string; readonly confirm?: unknown } };
    return error?.code === 'notConfirmed' && typeof error.confirm === 'string' ? error.confirm : undefined;
  } catch {
    return undefined;
  }
}

/** Of flags that are set, for a command to be typed. */
export function flagsText(command: CommandText, words: readonly (string | false | undefined)[]): string {
  return command(...words.filter((word): word is string => typeof word === 'string'));
}
