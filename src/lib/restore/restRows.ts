/** The rest of a restore, which no line of a devices file does: the rows of its parts. */

import { createIdentityTable, identityOf } from '../devicesFile/identityTable.ts';
import { bareEtag } from '../registry/etag.ts';
import type { Configuration } from '../registry/index.ts';
import type { BackedUpConfigurations } from '../registryExtras/configurationChanges.ts';
import { type ConfigurationChange, compareConfigurations } from '../registryExtras/configurationChanges.ts';
import type { ExtraLine, ModuleExtra } from '../registryExtras/extraLine.ts';
import { isIdentityLine } from '../registryLines/snapshot.ts';
import type { Only } from './only.ts';
import type { RestoreMode } from './restoreMode.ts';

export interface ManagedByOptions {
  readonly mode: RestoreMode;
  readonly only?: Only | undefined;
  /** The registry as it is. */
  live(): AsyncIterable<string>;
}

/**
 * The modules whose `managedBy` has to be set, or may have to be. What is the same as it was is known by the ETag of the
 * module and is not asked for; a module that is made anew is managed by nobody.
 */
export async function* managedByRows(
  extras: AsyncIterable<ExtraLine>,
  { mode, only, live }: ManagedByOptions,
): AsyncGenerator<ModuleExtra, void> {
  const there = createIdentityTable();
  const same = createIdentityTable();
  for await (const text of live()) {
    // Nearly all are devices, and need not be parsed for it.
    if (!isIdentityLine(text) || !text.includes('"moduleId"')) continue;
    const line = JSON.parse(text) as { readonly id: string; readonly moduleId?: string | null; readonly eTag?: string };
    if (typeof line.moduleId !== 'string') continue;
    there.claim(identityOf(line), 1);
    const eTag = bareEtag(line.eTag ?? '');
    if (eTag !== '') same.claim(`${identityOf(line)}\n${eTag}`, 1);
  }
  for await (const extra of extras) {
    if (extra.kind !== 'module' || only?.(extra) === false) continue;
    const isThere = there.find(identityOf(extra)) !== 0;
    if (isThere ? mode === 'missing' : extra.managedBy === null) continue;
    if (same.find(`${identityOf(extra)}\n${bareEtag(extra.eTag)}`) !== 0) continue;
    yield extra;
  }
}

/** What a mode does of the changes that bring the configurations of a hub to those of a backup. */
export function configurationRows(
  wanted: BackedUpConfigurations,
  live: readonly Configuration[],
  mode: RestoreMode,
): readonly ConfigurationChange[] {
  const done: Readonly<Record<RestoreMode, readonly ConfigurationChange['change'][]>> = {
    missing: ['create'],
    overwrite: ['create', 'update', 'replace'],
    exact: ['create', 'update', 'replace', 'delete'],
  };
  // A line that cannot be read may be of any: what seems not to be in the backup may be.
  const keeps = wanted.refused.length > 0 && mode === 'exact';
  const does = done[keeps ? 'overwrite' : mode];
  return compareConfigurations(wanted.configurations, live).filter(({ change }) => does.includes(change));
}
