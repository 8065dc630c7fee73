/**
 * What is to be asked of a hub for the extras of a backup: a module whose ETag is that of an earlier backup has the
 * `managedBy` that it had then.
 */

import { identityOf } from '../devicesFile/identityTable.ts';
import { bareEtag } from '../registry/etag.ts';
import { isIdentityLine } from '../registryLines/snapshot.ts';
import type { ExtraLine, ModuleExtra } from './extraLine.ts';
import { createValueTable } from './valueTable.ts';

/** Modules of a device that the hub has to be asked for, by one call. */
export interface ModulesToAsk {
  readonly kind: 'ask';
  readonly id: string;
  readonly moduleIds: readonly string[];
}

/** So many modules may wait for others of their devices, which usually follow at once. */
const MOST_WAITING = 5_000;

/**
 * Reads an export and the extras of the backup before it: gives lines that can be taken over, and what has to be asked.
 * The modules of an edge runtime (`$…`) are left out: the hub makes them itself. In flat memory.
 *
 * @param lines of the export
 * @param previous extras of an earlier backup of the same hub
 */
export async function* planExtras(
  lines: AsyncIterable<string> | Iterable<string>,
  previous: AsyncIterable<ExtraLine> | Iterable<ExtraLine> = [],
  mostWaiting = MOST_WAITING,
): AsyncGenerator<ModuleExtra | ModulesToAsk, void, undefined> {
  const known = await knownFrom(previous);
  const waiting = new Map<string, string[]>();
  let modules = 0;
  for await (const text of lines) {
    const line = moduleIn(text);
    if (line === undefined) continue;
    const extra = known(line);
    if (extra !== undefined) {
      yield extra;
      continue;
    }
    const ofDevice = waiting.get(line.id);
    if (ofDevice === undefined) waiting.set(line.id, [line.moduleId]);
    else ofDevice.push(line.moduleId);
    modules += 1;
    if (modules < mostWaiting) continue;
    // Those of the last device may not be complete yet.
    for (const [id, moduleIds] of waiting) if (id !== line.id) yield { kind: 'ask', id, moduleIds };
    const last = waiting.get(line.id) ?? [];
    waiting.clear();
    waiting.set(line.id, last);
    modules = last.length;
  }
  for (const [id, moduleIds] of waiting) yield { kind: 'ask', id, moduleIds };
}

interface ModuleOfLine {
  readonly id: string;
  readonly moduleId: string;
  readonly eTag: string;
}

function moduleIn(text: string): ModuleOfLine | undefined {
  // Nearly all are devices, and need not be parsed for it.
  if (!isIdentityLine(text) || !text.includes('"moduleId"')) return undefined;
  const { id, moduleId, eTag } = JSON.parse(text) as {
    readonly id: string;
    readonly moduleId?: string | null;
    readonly eTag?: string | null;
  };
  if (typeof moduleId !== 'string' || moduleId.startsWith('$')) return undefined;
  return { id, moduleId, eTag: bareEtag(eTag ?? '') };
}

/** What earlier extras tell of a module. */
async function knownFrom(
  previous: AsyncIterable<ExtraLine> | Iterable<ExtraLine>,
): Promise<(line: ModuleOfLine) => ModuleExtra | undefined> {
  const managers = createValueTable<string | null>();
  const keyOf = (of: ModuleOfLine) => `${identityOf(of)}\n${of.eTag}`;
  for await (const extra of previous) {
    if (extra.kind === 'module') managers.set(keyOf(extra), extra.managedBy);
  }
  return (line) => {
    const managedBy = line.eTag === '' ? undefined : managers.find(keyOf(line));
    return managedBy === undefined ? undefined : { kind: 'module', ...line, managedBy };
  };
}
