/** What the configurations of a hub set on devices and modules by themselves: nobody has changed that. */

import type { ConfigurationInput } from '../registry/index.ts';
import { isSame, pathOf } from '../registryLines/differences.ts';
import { twinOf } from '../registryLines/twinText.ts';
import { memberMap } from '../textFile/jsonMembers.ts';

/**
 * Whether a configuration explains that a field of an identity differs: it has set it, or the hub has taken it away, as it
 * does once tags match no more.
 *
 * @param field as `compareIdentity` names it
 * @param live the line of the identity as it is now
 */
export type IsConfigured = (field: string, live: string) => boolean;

const DESIRED = 'properties.desired';

interface Setting {
  /** Id of the only module that it is for. */
  readonly moduleId?: string;
  readonly of: 'devices' | 'modules';
  readonly path: string;
  readonly value: unknown;
}

/** @param configurations all that may have been at work, those of the past too */
export function configuredBy(configurations: Iterable<Pick<ConfigurationInput, 'content'>>): IsConfigured {
  const settings = [...configurations].flatMap(settingsOf);
  return (field, live) => {
    if (!overlaps(field, DESIRED)) return false;
    const found = settings.filter(({ path }) => overlaps(pathOf(path.split('.')), field));
    if (found.length === 0) return false;
    const members = memberMap(live);
    const moduleId = JSON.parse(members.get('moduleId') ?? 'null') as string | null;
    const desired: unknown = JSON.parse(twinOf(members).desired ?? '{}');
    return found.some((setting) => {
      if ((moduleId === null) !== (setting.of === 'devices')) return false;
      if (setting.moduleId !== undefined && setting.moduleId !== moduleId) return false;
      const there = valueAt(desired, setting.path.slice(DESIRED.length + 1));
      return there === undefined || isSame(setting.value, there);
    });
  };
}

function settingsOf({ content }: Pick<ConfigurationInput, 'content'>): readonly Setting[] {
  const { deviceContent, moduleContent, modulesContent } = content;
  const settings = (of: Setting['of'], set: unknown, moduleId?: string): readonly Setting[] =>
    Object.entries((set ?? {}) as Readonly<Record<string, unknown>>).map(([path, value]) => ({
      of,
      path,
      value,
      ...(moduleId === undefined ? {} : { moduleId }),
    }));
  return [
    ...settings('devices', deviceContent),
    ...settings('modules', moduleContent),
    ...Object.entries(modulesContent ?? {}).flatMap(([moduleId, set]) => settings('modules', set, moduleId)),
  ];
}

/** Whether one of two paths is in the other, or the same. */
export function overlaps(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}

function valueAt(section: unknown, path: string): unknown {
  let value = section;
  for (const part of path === '' ? [] : path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}
