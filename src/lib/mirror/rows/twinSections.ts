/** Sections of a twin: tags, desired and reported properties. Pure; keys such as `__proto__` are keys like any other. */

import { addDifferences, isObject, isSame } from '../../registryLines/differences.ts';
import type { Fields, TwinSections } from './row.ts';

export const SECTIONS = ['tags', 'desired', 'reported'] as const satisfies readonly (keyof TwinSections)[];

/** Where a section stands in a twin. */
export const SECTION_PATHS: Readonly<Record<keyof TwinSections, readonly string[]>> = {
  tags: ['tags'],
  desired: ['properties', 'desired'],
  reported: ['properties', 'reported'],
};

export const EMPTY_SECTIONS: TwinSections = { tags: {}, desired: {}, reported: {} };

/** A section without what a hub adds to it; no user may write a key that begins with `$`. */
export function withoutHubKeys(section: Fields): Fields {
  if (!('$metadata' in section) && !('$version' in section)) return section;
  const { $metadata: _metadata, $version: _version, ...rest } = section;
  return rest;
}

/** A whole section: null says that something is not there. */
export function withoutNulls(section: Fields): Fields {
  const entries = Object.entries(section);
  if (!entries.some(([, value]) => value === null || isObject(value))) return section;
  return Object.fromEntries(
    entries.flatMap(([key, value]) =>
      value === null ? [] : [[key, isObject(value) ? withoutNulls(value) : value] as const],
    ),
  );
}

/** Sections after a patch: objects are merged member by member, null removes, all else replaces. */
export function patchedSections(sections: TwinSections, patch: Partial<TwinSections>): TwinSections {
  return {
    tags: patched(sections.tags, patch.tags),
    desired: patched(sections.desired, patch.desired),
    reported: patched(sections.reported, patch.reported),
  };
}

function patched(section: Fields, patch: Fields | undefined): Fields {
  if (patch === undefined) return section;
  const members = new Map(Object.entries(section));
  for (const [key, value] of Object.entries(patch)) {
    const before = members.get(key);
    if (value === null) members.delete(key);
    else if (!isObject(value)) members.set(key, value);
    else members.set(key, isObject(before) ? patched(before, value) : withoutNulls(value));
  }
  return Object.fromEntries(members);
}

/** Whether all sections that `some` has are the same. */
export function hasSections(sections: TwinSections, some: Partial<TwinSections>): boolean {
  return SECTIONS.every((name) => some[name] === undefined || isSame(sections[name], some[name]));
}

/** Names of what differs, such as `tags.site`. */
export function sectionDifferences(before: TwinSections, after: TwinSections): readonly string[] {
  const paths: string[] = [];
  for (const name of SECTIONS) {
    if (before[name] !== after[name]) addDifferences(before[name], after[name], SECTION_PATHS[name], paths);
  }
  return paths;
}
