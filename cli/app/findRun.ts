import type { RunRecord } from '../../src/lib/runKinds.ts';
import { RUNS_CONTAINER } from '../../src/lib/storage/storage.ts';
import { usageError } from '../cliError.ts';
import type { Connection } from './connection.ts';

/**
 * The run whose id begins with `text`.
 * @throws CliError when there is none, or more than one
 */
export async function findRun(connection: Connection, text: string): Promise<RunRecord> {
  const prefix = text.trim().toLowerCase();
  if (!/^[0-9a-f]{1,20}$/.test(prefix)) {
    throw usageError(
      `"${text}" is not the id of a run.`,
      `Ids are 20 hexadecimal characters, or the first few of them: see ${connection.command('runs')}.`,
    );
  }
  const ids: string[] = [];
  for await (const { name } of connection.storage.container(RUNS_CONTAINER).listBlobsFlat({ prefix })) {
    if (/^[0-9a-f]{20}\.json$/.test(name)) ids.push(name.slice(0, -'.json'.length));
  }
  const [id, ...others] = ids;
  const record = id === undefined ? undefined : await connection.runs.read(id);
  if (record === undefined) throw usageError(`There is no run ${prefix}.`, `See ${connection.command('runs')}.`);
  if (others.length > 0) {
    const shown = ids.slice(0, 5).join(', ');
    throw usageError(
      `${ids.length} runs begin with ${prefix}: ${shown}${ids.length > 5 ? ', …' : ''}.`,
      'Give more characters of the id.',
    );
  }
  return record;
}
