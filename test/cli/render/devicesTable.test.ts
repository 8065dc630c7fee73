import { describe, expect, it, test } from 'vitest';

import { renderCount, renderDevices, tagsText } from '../../../cli/render/devicesTable.ts';
import type { RowView } from '../../../src/lib/mirror/query/rowView.ts';
import { tornLines } from '../onTerminal.ts';

const look = { now: new Date('2026-11-26T12:00:00.000Z'), paint: (_style: unknown, text: string) => text };

function view(deviceId: string, more: Partial<RowView> = {}): RowView {
  return {
    hub: 'default',
    deviceId,
    status: 'enabled',
    statusReason: null,
    edge: false,
    parent: null,
    authenticationType: 'sas',
    tags: {},
    properties: { desired: {} },
    version: 2,
    updatedAt: '2026-11-26T11:56:00.000Z',
    checkedAt: '2026-11-26T08:00:00.000Z',
    ...more,
  };
}

const fleet = [
  view('edge-1', { edge: true, tags: { site: 'faro', place: { floor: 3, room: 'a b' } } }),
  view('pump-1', { status: 'disabled', parent: 'edge-1', tags: { site: 'faro' }, checkedAt: null }),
  view('pump-2', { status: null, edge: null, tags: { note: 'x'.repeat(200) } }),
];

describe('devices are a table', () => {
  it('with all that says something, and tags in what room is left', () => {
    expect(renderDevices(fleet, { ...look, columns: 100 }).lines).toEqual([
      'DEVICE  STATUS    EDGE  PARENT  CHANGED  CHECKED  TAGS',
      'edge-1  enabled   yes   -         4 min      4 h  site=faro place.floor=3 place.room=a b',
      'pump-1  disabled  -     edge-1    4 min    never  site=faro',
      `pump-2  -         -     -         4 min      4 h  note=${'x'.repeat(44)}…`,
    ]);
  });

  it('that shows hubs where there are several, and modules where there are some', () => {
    const rows = [
      view('a'),
      view('a', { hub: 'east' }),
      view('a', { hub: 'east', moduleId: 'm', status: null, edge: null }),
    ];
    expect(renderDevices(rows, { ...look, columns: undefined }).lines).toEqual([
      'DEVICE  MODULE  HUB      STATUS   CHANGED  CHECKED  TAGS',
      'a       -       default  enabled    4 min      4 h',
      'a       -       east     enabled    4 min      4 h',
      'a       m       east     -          4 min      4 h',
    ]);
  });

  it.each([160, 80, 60, 40])('that fits %i columns, with each id whole', (columns) => {
    const rows = [...fleet, view('a-device-with-a-long-name', { hub: 'east', parent: 'edge-1' })];
    const { lines } = renderDevices(rows, { ...look, columns });
    expect(tornLines(lines.join('\n'), columns)).toEqual([]);
    expect(lines[4]).toMatch(/^a-device-with-a-long-name {2}/);
    if (columns >= 60) expect(lines[1]).toContain('site=faro');
  });

  it('whose later pages go on with the layout of the first, without a head', () => {
    const { layout } = renderDevices(fleet, { ...look, columns: 80 });
    expect(renderDevices([view('p'), view('much-longer-1')], { ...look, columns: 80 }, layout).lines).toEqual([
      'p              enabled   -     -         4 min      4 h',
      'much-longer-1  enabled   -     -         4 min      4 h',
    ]);
  });
});

test('what others have written into tags does nothing to a terminal', () => {
  const tags = { 'a\u001b[2J': 'x\u0007\r\ny\u009b31m', list: ['\u202eabc'], empty: {} };
  expect(tagsText(tags)).toBe('a\\u001b[2J=x\\u0007\\u000d\\u000ay\\u009b31m list=["\\u202eabc"]');
  const { lines } = renderDevices([view('d', { tags })], { ...look, columns: 160 });
  expect(lines.join(' ')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('a count is its groups, and the sum with its time', () => {
  const count = { devices: 1_204, modules: 1, at: '2026-11-26T12:00:00.000Z' };
  const groups = [
    { value: 'faro', devices: 1_200 },
    { value: null, devices: 3 },
    { value: '', devices: 1 },
  ];
  expect(renderCount(count, { ...look, columns: 80 })).toEqual([
    expect.stringMatching(/^1,204 devices, 1 module \(counted 2026-11-26 /),
  ]);
  expect(renderCount({ ...count, by: 'tag.site', groups }, { ...look, columns: 80 })).toEqual([
    'tag.site  DEVICES',
    'faro        1,200',
    '(none)          3',
    '(empty)         1',
    '',
    expect.stringContaining('1,204 devices'),
  ]);
});
