/** The changes of a plan, as the app has written them: a line of JSON each. */

import { open } from 'node:fs/promises';

import type { ChangeRecord } from '../../src/lib/registryLines/changeForms.ts';
import { linesOf } from '../../src/lib/storage/ndjson.ts';
import { RESULTS_CONTAINER } from '../../src/lib/storage/storage.ts';
import type { ReadPlan } from '../render/hubPlanText.ts';
import type { Connection } from './connection.ts';
import { outFileError } from './outFile.ts';

const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Reads the first changes, and writes all of them where that is asked for.
 *
 * @param most so many of each are given
 */
export async function readPlan(
  { storage }: Connection,
  blobName: string,
  { most, out }: { readonly most: number; readonly out: string | undefined },
): Promise<ReadPlan> {
  const changes: ChangeRecord[] = [];
  const others: Readonly<Record<string, unknown>>[] = [];
  const file =
    out === undefined
      ? undefined
      : await open(out, 'w').catch((error: unknown) => {
          throw outFileError(error, out);
        });
  try {
    let chunk = '';
    for await (const line of linesOf(storage.container(RESULTS_CONTAINER).getBlockBlobClient(blobName))) {
      const row = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (isChange(row)) {
        if (changes.length < most) changes.push(row);
      } else if (others.length < most) others.push(row);
      if (file === undefined) {
        if (changes.length === most && others.length === most) break;
        continue;
      }
      chunk += `${line}\n`;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      await file.appendFile(chunk);
      chunk = '';
    }
    await file?.appendFile(chunk);
  } finally {
    await file?.close();
  }
  return { changes, others };
}

function isChange(row: Readonly<Record<string, unknown>>): row is Readonly<Record<string, unknown>> & ChangeRecord {
  const { id, change, fields } = row;
  return typeof id === 'string' && Array.isArray(fields) && ['created', 'changed', 'deleted'].includes(String(change));
}
