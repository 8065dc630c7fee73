/** What the extras of a backup tell of its lines. */

import { deviceOfScope } from '../devicesFile/edgeParents.ts';
import { identityOf } from '../devicesFile/identityTable.ts';
import { isIdentityLine } from '../registryLines/snapshot.ts';
import type { ExtraLine, ModuleExtra } from './extraLine.ts';
import { isMadeByHub, type ModuleOrigin } from './systemModules.ts';
import { createValueTable } from './valueTable.ts';

export interface BackedUpExtras {
  /** Null: nobody manages the module. Undefined: nothing is known. */
  managedBy(module: { readonly id: string; readonly moduleId: string }): string | null | undefined;
  /** Device id of the parent of an edge device. Null: it has none. Undefined: nothing is known. */
  parentOf(edgeDevice: string): string | null | undefined;
}

/** Reads extras once; of modules a few bytes each are kept, of edge devices their ids. */
export async function readBackedUpExtras(
  extras: AsyncIterable<ExtraLine> | Iterable<ExtraLine>,
): Promise<BackedUpExtras> {
  const managers = createValueTable<string | null>();
  const parents = new Map<string, string | null>();
  for await (const extra of extras) {
    if (extra.kind === 'module') managers.set(identityOf(extra), extra.managedBy);
    else {
      const [scope] = extra.parentScopes;
      const parent = scope === undefined ? null : deviceOfScope(scope);
      if (parent !== undefined) parents.set(extra.id, parent);
    }
  }
  return {
    managedBy: (module) => managers.find(identityOf(module)),
    parentOf: (edgeDevice) => parents.get(edgeDevice),
  };
}

/**
 * The modules of which somebody is to be set as manager, once they are there: those with one, without those that the hub
 * makes itself.
 *
 * @param lines what is restored. A line that was read by itself may say who manages its module; else the extras do
 */
export async function* managersToSet(
  lines: AsyncIterable<string> | Iterable<string>,
  { managedBy }: Pick<BackedUpExtras, 'managedBy'>,
): AsyncGenerator<ModuleExtra, void, undefined> {
  for await (const text of lines) {
    if (!isIdentityLine(text) || !text.includes('"moduleId"')) continue;
    const line = JSON.parse(text) as ModuleOrigin & { readonly id: string; readonly eTag?: string | null };
    const { id, moduleId } = line;
    if (typeof moduleId !== 'string') continue;
    const manager = line.managedBy ?? managedBy({ id, moduleId });
    if (typeof manager !== 'string' || isMadeByHub(line, () => manager)) continue;
    yield { kind: 'module', id, moduleId, eTag: line.eTag ?? '', managedBy: manager };
  }
}
