/** What lies in the drop box under a name that makes no run. */

import { whyNoDrop } from '../../src/lib/provisioning/drop/whyNoDrop.ts';
import { isNotFound, storageStatus } from '../../src/lib/storage/storageErrors.ts';
import { formatCount, formatPlural, formatTime } from '../render/format.ts';
import { wrap } from '../render/wrap.ts';
import type { Connection } from './connection.ts';

export interface StrayFiles {
  /** The latest of them. */
  readonly files: readonly { readonly name: string; readonly why: string; readonly at: string }[];
  readonly found: number;
  /** Whether the drop box holds more than was looked at. */
  readonly more: boolean;
}

/** Names that are looked at: a drop box is never emptied by the app. */
const LOOKED_AT = 20_000;
const SHOWN = 10;

/** Looks through the drop box; without a right to do so, or without a drop box, there is nothing to tell. */
export async function findStrayFiles({ storage, provisionContainer }: Connection): Promise<StrayFiles> {
  const found: StrayFiles['files'][number][] = [];
  let seen = 0;
  try {
    for await (const { name, properties } of storage.container(provisionContainer).listBlobsFlat()) {
      seen += 1;
      if (seen > LOOKED_AT) break;
      const why = whyNoDrop(name);
      if (why !== undefined) found.push({ name, why, at: properties.lastModified.toISOString() });
    }
  } catch (error) {
    if (!isNotFound(error) && storageStatus(error) !== 403) throw error;
  }
  const latest = found.toSorted((a, b) => (a.at < b.at ? 1 : -1)).slice(0, SHOWN);
  return { files: latest, found: found.length, more: seen > LOOKED_AT };
}

export function renderStrayFiles({ files, found, more }: StrayFiles, columns: number | undefined): readonly string[] {
  if (found === 0) return [];
  const hidden = found - files.length;
  const part = more ? ` (of the first ${formatCount(LOOKED_AT)} looked at)` : '';
  return [
    '',
    `${formatPlural(found, 'file')} in the drop box ${found === 1 ? 'makes' : 'make'} no run${part}:`,
    ...files.flatMap(({ name, why, at }) => [`  ${name}  (${formatTime(at)})`, ...wrap(why, 4, columns)]),
    ...(hidden === 0 ? [] : [`  … and ${formatCount(hidden)} older ${hidden === 1 ? 'one' : 'ones'}`]),
  ];
}
