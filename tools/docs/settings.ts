/** The settings of the app, as a table. */

import { SETTINGS, type Setting } from '../../src/lib/settings.ts';
import { code, table } from './markdown.ts';

export function renderSettings(): string {
  return table(
    ['setting', 'default', 'values', 'meaning'],
    Object.entries<Setting>(SETTINGS).map(([name, setting]) => [
      code(name),
      defaultOf(setting),
      valuesOf(setting),
      setting.meaning,
    ]),
  );
}

function defaultOf({ default: fallback, without }: Setting): string {
  if (fallback === undefined) return without ?? 'required';
  return typeof fallback === 'number' ? String(fallback) : code(fallback);
}

function valuesOf({ words, range }: Setting): string {
  if (words !== undefined) return words.map(code).join(', ');
  return range === undefined ? 'text' : `${range.least} to ${range.most}`;
}
