import { describe, expect, it } from 'vitest';

import type { Configuration } from '../../../src/lib/registry/index.ts';
import type { ExtraLine } from '../../../src/lib/registryExtras/extraLine.ts';
import { devicesNamed } from '../../../src/lib/restore/only.ts';
import { RESTORE_MODES, type RestoreMode } from '../../../src/lib/restore/restoreMode.ts';
import { configurationRows, managedByRows } from '../../../src/lib/restore/restRows.ts';

async function* from<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

const extra = (moduleId: string, eTag: string, managedBy: string | null): ExtraLine => ({
  kind: 'module',
  id: 'd',
  moduleId,
  eTag,
  managedBy,
});
const EXTRAS: readonly ExtraLine[] = [
  { kind: 'edge', id: 'd', deviceScope: null, parentScopes: [] },
  extra('same', '1', 'me'),
  extra('changed', '1', 'me'),
  extra('cleared', '1', null),
  extra('gone', '1', 'me'),
  extra('goneAndNobodys', '1', null),
  extra('unknownTag', '', 'me'),
];
/** As hubs write ETags: bare, quoted, or not at all. */
const LIVE = [
  'Devices, exported without keys',
  '{"id":"d","eTag":"1"}',
  '{"id":"d","moduleId":null,"eTag":"1"}',
  '{"id":"d","moduleId":"same","eTag":"\\"1\\""}',
  '{"id":"d","moduleId":"changed","eTag":"2"}',
  '{"id":"d","moduleId":"cleared","eTag":"2"}',
  '{"id":"d","moduleId":"unknownTag"}',
];

describe('modules whose managedBy may have to be set', () => {
  it.each<[RestoreMode, readonly string[] | undefined, readonly string[]]>([
    ['exact', undefined, ['changed', 'cleared', 'gone', 'unknownTag']],
    ['overwrite', undefined, ['changed', 'cleared', 'gone', 'unknownTag']],
    ['missing', undefined, ['gone']],
    ['exact', ['d*'], ['changed', 'cleared', 'gone', 'unknownTag']],
    ['exact', ['other'], []],
  ])('%s, only %j', async (mode, names, wanted) => {
    const options = { mode, only: devicesNamed(names).only, live: () => from(LIVE) };
    const rows = await Array.fromAsync(managedByRows(from(EXTRAS), options));
    expect(rows.map(({ moduleId }) => moduleId)).toEqual(wanted);
  });
});

describe('configurations that have to be changed', () => {
  const content = (value: number) => ({ deviceContent: { 'properties.desired.a': value } });
  const live = [
    { id: 'same', content: content(1), priority: 1 },
    { id: 'priority', content: content(1), priority: 1 },
    { id: 'content', content: content(1), priority: 1 },
    { id: 'other', content: content(1), priority: 1 },
  ].map((each) => ({ ...each, etag: '1', metricResults: {}, systemMetricResults: {} })) as readonly Configuration[];
  const configurations = [
    { id: 'same', content: content(1), priority: 1 },
    { id: 'priority', content: content(1), priority: 2 },
    { id: 'content', content: content(2), priority: 1 },
    { id: 'new', content: content(1) },
  ];
  const done = (mode: RestoreMode, refused: number) => {
    const lines = Array.from(
      { length: refused },
      () => ({ what: 'configuration', id: 'x', outcome: 'failed' }) as const,
    );
    return configurationRows({ configurations, refused: lines }, live, mode).map(({ id, change }) => `${change} ${id}`);
  };

  it.each<[RestoreMode, readonly string[]]>([
    ['missing', ['create new']],
    ['overwrite', ['update priority', 'replace content', 'create new']],
    ['exact', ['delete other', 'update priority', 'replace content', 'create new']],
  ])('%s', (mode, changes) => expect(done(mode, 0)).toEqual(changes));

  it('deletes none while a line of the backup cannot be read: it may be the one', () => {
    for (const mode of RESTORE_MODES) expect(done(mode, 1).join()).not.toContain('delete');
  });
});
