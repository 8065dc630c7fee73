/** All that the mirror knows of a device, as text for people. */

import type { DeviceView, IdentityView } from '../../src/lib/mirror/query/deviceView.ts';
import type { Fields, RowChange } from '../../src/lib/mirror/rows/row.ts';
import { formatDuration, formatTime } from './format.ts';
import { plainText } from './plainText.ts';
import type { Look } from './runText.ts';
import { shortId } from './runWords.ts';
import { behind, wrap } from './wrap.ts';

/** Of each kind of change, who has seen it. */
const BY_TEXT: Readonly<Record<RowChange['by'], string>> = {
  event: 'by an event',
  refresh: 'by a look into the registry',
  reconcile: 'by a reconcile',
};

export function renderDevice(device: DeviceView, look: Look): readonly string[] {
  const { modules } = device;
  return [
    headOf(device, look),
    ...factsOf(device, look),
    ...twinOf(device),
    ...modules.flatMap((module) => ['', headOf(module, look), ...factsOf(module, look), ...twinOf(module)]),
    ...changesOf(device, look),
  ];
}

function headOf({ deviceId, moduleId, hub, state }: IdentityView, { paint }: Look): string {
  const name = moduleId === undefined ? plainText(deviceId) : `module ${plainText(moduleId)}`;
  const mark = state === 'present' ? '' : ` (${state === 'deleted' ? 'deleted' : 'not known yet'})`;
  return `${paint('bold', name)}${moduleId === undefined ? ` of the hub ${hub}` : ''}${mark}`;
}

function factsOf(view: IdentityView, look: Look): readonly string[] {
  const { status, statusReason, edge, parent, authenticationType, version, state } = view;
  const since = (at: string) => `${formatTime(at)}, ${formatDuration(look.now.getTime() - Date.parse(at))} ago`;
  const isThere = state === 'present';
  const rows: readonly (readonly [string, string | null])[] = [
    [
      'deleted',
      state === 'deleted'
        ? `since ${view.deletedAt === null ? 'a time that is not known' : since(view.deletedAt)}`
        : null,
    ],
    ['', state === 'unknown' ? 'Events speak of it; the registry has not been asked yet.' : null],
    ['status', isThere ? `${status ?? 'not known'}${statusReason ? `: ${plainText(statusReason)}` : ''}` : null],
    ['edge', edge === true ? 'yes' : null],
    ['parent', parent === null ? null : plainText(parent)],
    ['signs in', isThere ? authenticationType : null],
    ['twin', isThere && version !== null ? `version ${version}` : null],
    ['changed', since(view.updatedAt)],
    [
      'checked',
      view.checkedAt === null ? 'never against the registry' : `against the registry, ${since(view.checkedAt)}`,
    ],
    ['refresh', view.refreshWantedSince === null ? null : `wanted since ${since(view.refreshWantedSince)}`],
    [
      'last run',
      view.lastRun === null ? null : `${shortId(view.lastRun)}: ${look.command('run', shortId(view.lastRun))}`,
    ],
  ];
  const shown = view.moduleId === undefined ? rows : rows.filter(([title]) => title !== 'status');
  return shown.flatMap(([title, text]) =>
    text === null ? [] : behind(`  ${title.padEnd(10)}`, wrap(text, 12, look.columns)),
  );
}

function twinOf({ tags, properties }: IdentityView): readonly string[] {
  return [
    ...sectionOf('tags', tags),
    ...sectionOf('desired properties', properties.desired),
    ...sectionOf('reported properties', properties.reported),
  ];
}

function sectionOf(title: string, fields: Fields): readonly string[] {
  if (Object.keys(fields).length === 0) return [];
  const json = JSON.stringify(fields, undefined, 2).split('\n').slice(1, -1);
  return ['', `  ${title}`, ...json.map((line) => `  ${plainText(line)}`)];
}

function changesOf({ changes }: DeviceView, { columns }: Look): readonly string[] {
  if (changes.length === 0) return [];
  return [
    '',
    `  last ${changes.length === 1 ? 'change' : `${changes.length} changes`}`,
    ...changes.flatMap(({ at, by, what }) => {
      const text = `${what.map(plainText).join(', ')} (${BY_TEXT[by]})`;
      return behind(`    ${formatTime(at)}  `, wrap(text, 8, columns));
    }),
  ];
}
