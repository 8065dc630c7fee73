import { describe, expect, it } from 'vitest';

import type { Configuration, ConfigurationInput } from '../../../src/lib/registry/index.ts';
import { compareConfigurations, readConfigurations } from '../../../src/lib/registryExtras/configurationChanges.ts';

const CONTENT = { deviceContent: { 'properties.desired.x': { a: 1, b: 2 } } };
const wanted: ConfigurationInput = {
  id: 'c',
  etag: 'MQ==',
  content: CONTENT,
  targetCondition: "tags.site='north'",
  priority: 3,
  labels: { by: 'me' },
  metricQueries: { n: 'SELECT deviceId FROM devices' },
};
const live: Configuration = {
  ...wanted,
  etag: 'Nw==',
  schemaVersion: '1.0',
  createdTimeUtc: '2020-01-01T00:00:00Z',
  metricResults: { n: 7 },
  systemMetricResults: { targetedCount: 7 },
};

describe('configurations of a backup and of a hub are compared', () => {
  it.each<[string, ConfigurationInput[], Configuration[], string, string[]]>([
    ['one that is not there', [wanted], [], 'create', []],
    ['one of another time, otherwise the same', [wanted], [live], 'unchanged', []],
    [
      'defaults that one side names',
      [{ id: 'c', content: CONTENT }],
      [{ ...live, targetCondition: '', priority: 0, labels: {}, metricQueries: {} }],
      'unchanged',
      [],
    ],
    [
      'keys in another order',
      [{ ...wanted, content: { deviceContent: { 'properties.desired.x': { b: 2, a: 1 } } } }],
      [live],
      'unchanged',
      [],
    ],
    [
      'another target',
      [wanted],
      [{ ...live, targetCondition: '*', priority: 4 }],
      'update',
      ['targetCondition', 'priority'],
    ],
    ['other labels', [wanted], [{ ...live, labels: {} }], 'update', ['labels']],
    ['another metric', [wanted], [{ ...live, metricQueries: {} }], 'update', ['metrics.queries']],
    [
      'another content',
      [wanted],
      [{ ...live, priority: 1, content: { deviceContent: {} } }],
      'replace',
      ['content', 'priority'],
    ],
    ['one that the backup lacks', [], [live], 'delete', []],
  ])('%s', (_, backup, hub, change, fields) => {
    const [first, ...others] = compareConfigurations(backup, hub);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ id: 'c', change });
    expect(first !== undefined && 'fields' in first ? first.fields : []).toEqual(fields);
  });

  it('without the ETag of the backup, deletions first', () => {
    const changes = compareConfigurations([wanted], [{ ...live, id: 'old' }]);
    expect(changes.map(({ change, id }) => [change, id])).toEqual([
      ['delete', 'old'],
      ['create', 'c'],
    ]);
    expect(changes[1]).not.toHaveProperty('wanted.etag');
  });
});

describe('configurations.txt of a backup', () => {
  const file = async function* (text: string) {
    yield Buffer.from(text);
  };

  it('is read as the export of a hub writes it', async () => {
    const line =
      '{"Id":"c","SchemaVersion":"1.0","Labels":{"by":"me"},"Content":{"DeviceContent":{"properties.desired.x":{"a":1}},"ModulesContent":{},"ModuleContent":null},"ContentType":"assignment","TargetCondition":"*","CreatedTimeUtc":"2026-11-20T10:00:00Z","LastUpdatedTimeUtc":"2026-11-20T10:00:00Z","Priority":3,"SystemMetrics":{"Results":{"targetedCount":2},"Queries":{"targetedCount":"select deviceId from devices"}},"Metrics":{"Results":{"n":1},"Queries":{"n":"SELECT deviceId FROM devices"}},"ETag":"MQ=="}\r\n';
    expect(await readConfigurations(file(line), 'configurations.txt')).toEqual({
      configurations: [
        {
          id: 'c',
          schemaVersion: '1.0',
          labels: { by: 'me' },
          content: { deviceContent: { 'properties.desired.x': { a: 1 } } },
          targetCondition: '*',
          priority: 3,
          metricQueries: { n: 'SELECT deviceId FROM devices' },
        },
      ],
      refused: [],
    });
  });

  it('may have lines that no hub takes back; they are named', async () => {
    const { configurations, refused } = await readConfigurations(
      file('{"Id":"good","Content":{"DeviceContent":{"properties.desired.x":1}}}\n{"Id":"bad"}\nnot json\n'),
      'configurations.txt',
    );
    expect(configurations.map(({ id }) => id)).toEqual(['good']);
    expect(refused).toMatchObject([
      { what: 'configuration', id: 'bad', outcome: 'failed', code: 'configurationUnusable' },
      { what: 'configuration', id: 'line 3', outcome: 'failed', code: 'configurationUnusable' },
    ]);
    expect(refused[0]?.message).toMatch(/^Line 2 of configurations.txt .* The line has no content\./);
  });
});
