/** Where a row of the mirror is other than the registry was shown to be. */

import { addDifferences } from '../../registryLines/differences.ts';
import { type Fields, IDENTITY_FIELDS, type MirroredIdentity, type MirrorRow } from '../rows/row.ts';
import { SECTION_PATHS, SECTIONS } from '../rows/twinSections.ts';
import type { ShownIdentity } from './shownIdentity.ts';

/**
 * Names of the fields that differ, such as `status` and `tags.site`; never values. What is not told does not differ, nor
 * does an identity of which the row knows nothing yet: events tell nothing of it, and it is about to be read.
 */
export function differingFields({ identity, twin }: MirrorRow, shown: ShownIdentity): string[] {
  const fields: string[] =
    identity === undefined ? [] : IDENTITY_FIELDS.filter((name) => differs(name, identity[name], shown[name]));
  for (const name of SECTIONS) {
    const told = shown[name];
    if (told === undefined) continue;
    const paths: string[] = [];
    addDifferences(twin?.[name] ?? NO_FIELDS, told, SECTION_PATHS[name], paths);
    fields.push(...paths.sort());
  }
  return fields;
}

const NO_FIELDS: Fields = {};

function differs<Name extends keyof MirroredIdentity>(
  name: Name,
  known: MirroredIdentity[Name],
  told: ShownIdentity[Name],
): boolean {
  if (told === undefined) return false;
  // Where exports have no keys, rows need not have it: that is no drift.
  if (name === 'authenticationType') return known !== undefined && !isSameWord(known, told);
  const nothing = name === 'edge' ? false : name === 'status' ? undefined : null;
  return told !== (known ?? nothing);
}

function isSameWord(a: unknown, b: unknown): boolean {
  return String(a).toLowerCase() === String(b).toLowerCase();
}
