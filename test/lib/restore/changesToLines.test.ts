import { describe, expect, it } from 'vitest';

import { createLinePlanner, deleteLine, type PlannedChange } from '../../../src/lib/restore/changesToLines.ts';
import { RESTORE_MODES, type RestoreMode } from '../../../src/lib/restore/restoreMode.ts';

const KEYS = '{"symmetricKey":{"primaryKey":"cHJpbWFyeQ==","secondaryKey":"c2Vjb25kYXJ5"},"type":"sas"}';
const NULLS =
  '{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"certificateAuthority"}';
/** As a hub exports a device, in its own order of keys. */
const line = (more: string, id = 'd') =>
  `{"id":"${id}","eTag":"MQ==","status":"disabled","statusReason":"lost","authentication":${KEYS},"twinETag":"AAAAAAAAAAE=",${more}}`;
const made = (moduleId: string) => `{"id":"d","moduleId":"${moduleId}","authentication":{"type":"none"}}`;

type Case = readonly [
  name: string,
  mode: RestoreMode,
  change: {
    change: 'created' | 'changed' | 'deleted';
    id?: string;
    moduleId?: string;
    before?: string;
    after?: string;
  },
  planned: Partial<PlannedChange> | string,
];

const CASES: readonly Case[] = [
  [
    'a new device with all that it had, and the parent by its id',
    'missing',
    {
      change: 'created',
      after: line(
        '"tags":{"n":1.0,"10":2,"2":"ö"},"properties":{"desired":{"a":{"b":null},"$version":4,"$metadata":{}},"reported":{}},"capabilities":{"iotEdge":false},"deviceScope":"ms-azure-iot-edge://edge-1-63","parentScopes":["ms-azure-iot-edge://edge-1-63"]',
      ),
    },
    `{"id":"d","importMode":"create","status":"disabled","statusReason":"lost","authentication":${KEYS},"tags":{"n":1.0,"10":2,"2":"ö"},"properties":{"desired":{"a":{"b":null}}},"capabilities":{"iotEdge":false},"parent":"edge-1"}`,
  ],
  [
    'an edge device below another, and not its own scope',
    'missing',
    {
      change: 'created',
      after: line(
        '"capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d-77","parentScopes":["ms-azure-iot-edge://up-er-63"]',
      ),
    },
    `{"id":"d","importMode":"create","status":"disabled","statusReason":"lost","authentication":${KEYS},"capabilities":{"iotEdge":true},"parent":"up-er"}`,
  ],
  [
    'what is to vanish vanishes: the twin, the reason, the parent, being an edge device',
    'overwrite',
    {
      change: 'changed',
      before: line('"tags":{"a":1}'),
      after: `{"id":"d","status":"enabled","statusReason":null,"authentication":${KEYS},"tags":null}`,
    },
    `{"id":"d","importMode":"createOrUpdate","status":"enabled","statusReason":"","authentication":${KEYS},"tags":{},"properties":{"desired":{}},"capabilities":{"iotEdge":false},"parent":null}`,
  ],
  [
    'a certificate authority with pairs of nulls',
    'exact',
    { change: 'changed', before: line('"tags":{}'), after: `{"id":"d","authentication":${NULLS}}` },
    `{"id":"d","importMode":"createOrUpdate","status":"enabled","statusReason":"","authentication":${NULLS},"tags":{},"properties":{"desired":{}},"capabilities":{"iotEdge":false},"parent":null}`,
  ],
  [
    'keys that are not known stay as they are',
    'overwrite',
    { change: 'changed', before: line('"tags":{}'), after: '{"id":"d","authentication":null,"tags":{"a":1}}' },
    '{"id":"d","importMode":"createOrUpdate","status":"enabled","statusReason":"","tags":{"a":1},"properties":{"desired":{}},"capabilities":{"iotEdge":false},"parent":null}',
  ],
  [
    'a module has no status, no capabilities and no parent',
    'overwrite',
    {
      change: 'changed',
      moduleId: 'm',
      before: '{"id":"d"}',
      after: `{"id":"d","moduleId":"m","status":"enabled","authentication":${KEYS},"capabilities":{"iotEdge":false}}`,
    },
    `{"id":"d","moduleId":"m","importMode":"createOrUpdate","authentication":${KEYS},"tags":{},"properties":{"desired":{}}}`,
  ],
  [
    'names of members in other cases',
    'missing',
    { change: 'created', after: `{"Id":"d","Status":"enabled","Authentication":${KEYS},"Tags":{"a":1}}` },
    `{"id":"d","importMode":"create","status":"enabled","authentication":${KEYS},"tags":{"a":1}}`,
  ],
  [
    'a scope that no hub makes goes on as it is, for the check to name it',
    'missing',
    { change: 'created', after: '{"id":"d","authentication":{},"deviceScope":"elsewhere"}' },
    '{"id":"d","importMode":"create","authentication":{},"deviceScope":"elsewhere"}',
  ],
  [
    'a device that is not wanted, as it was when it was compared',
    'exact',
    { change: 'deleted', before: line('"tags":{}') },
    '{"id":"d","importMode":"deleteIfMatchETag","eTag":"MQ=="}',
  ],
  [
    'a module that is not wanted, as it was when it was compared',
    'exact',
    { change: 'deleted', moduleId: 'm', before: '{"id":"d","moduleId":"m","ETag":"\\"Mg==\\""}' },
    '{"id":"d","moduleId":"m","importMode":"deleteIfMatchETag","eTag":"Mg=="}',
  ],
  [
    'a module of which nothing tells the version',
    'exact',
    { change: 'deleted', moduleId: 'm', before: '{"id":"d","moduleId":"m"}' },
    '{"id":"d","moduleId":"m","importMode":"delete"}',
  ],
  ['no delete with overwrite', 'overwrite', { change: 'deleted', before: line('"tags":{}') }, { is: 'left' }],
  [
    'no change with missing',
    'missing',
    { change: 'changed', before: '{"id":"d"}', after: '{"id":"d"}' },
    { is: 'left' },
  ],
  [
    '$edgeAgent',
    'exact',
    { change: 'changed', moduleId: '$edgeAgent', before: made('$edgeAgent'), after: made('$edgeAgent') },
    { is: 'hubMade' },
  ],
  [
    '$edgeHub of a leaf that was an edge device',
    'exact',
    { change: 'deleted', moduleId: '$edgeHub', before: made('$edgeHub') },
    { is: 'hubMade' },
  ],
  [
    'a module that a deployment made',
    'exact',
    { change: 'created', moduleId: 'fw', after: made('fw') },
    { is: 'hubMade' },
  ],
  [
    'one that no deployment makes any more',
    'exact',
    { change: 'deleted', moduleId: 'fw', before: made('fw') },
    '{"id":"d","moduleId":"fw","importMode":"delete"}',
  ],
];

const isMadeByHub = ({ moduleId }: { moduleId: string }, text: string) =>
  moduleId.startsWith('$') || text.includes('"type":"none"');

describe('the line of a change', () => {
  it.each(CASES)('%s (%s)', (_name, mode, { id = 'd', ...change }, planned) => {
    const found = createLinePlanner({ mode, isMadeByHub, keeps: () => false })({ id, fields: [], ...change });
    if (typeof planned === 'string') expect(found).toMatchObject({ is: 'line', text: planned });
    else expect(found).toMatchObject(planned);
  });

  it('leaves a device with its modules where it is to be kept, and deletes others', () => {
    const plan = createLinePlanner({ mode: 'exact', isMadeByHub, keeps: ({ id }) => id === 'kept' });
    const deleted = (id: string, moduleId?: string) =>
      plan({ id, ...(moduleId === undefined ? {} : { moduleId }), change: 'deleted', fields: [], before: '{}' }).is;
    expect([deleted('kept'), deleted('kept', 'm'), deleted('other'), deleted('other', 'm')]).toEqual([
      ...['kept', 'kept', 'line', 'goesWith'],
    ]);
  });

  it('leaves the modules of a deleted device to the hub, and not those of the next', () => {
    const plan = createLinePlanner({ mode: 'exact', isMadeByHub, keeps: () => false });
    const deleted = (id: string, moduleId?: string) =>
      plan({
        id,
        ...(moduleId === undefined ? {} : { moduleId }),
        change: 'deleted',
        fields: [],
        before: `{"id":"${id}"}`,
      }).is;
    expect([deleted('a'), deleted('a', '$edgeAgent'), deleted('a', 'm'), deleted('b', 'm')]).toEqual([
      'line',
      'goesWith',
      'goesWith',
      'line',
    ]);
  });

  it.each(RESTORE_MODES)('tells who gets new keys, and whose reported properties are lost (%s)', (mode) => {
    const plan = createLinePlanner({ mode, isMadeByHub, keeps: () => false });
    const created = (after: string) => plan({ id: 'd', change: 'created', fields: [], after });
    expect(created('{"id":"d","authentication":null,"properties":{"reported":{"$version":1}}}')).toMatchObject({
      getsNewKeys: true,
      losesReported: false,
    });
    expect(created(line('"properties":{"reported":{"fw":"1"}}'))).toMatchObject({
      getsNewKeys: false,
      losesReported: true,
    });
  });
});

describe('a line that takes an identity away', () => {
  it.each([
    ['as long as it has an ETag', 'MQ==', '{"id":"ä\\"","importMode":"deleteIfMatchETag","eTag":"MQ=="}'],
    ['whatever it has, where none is known', '', '{"id":"ä\\"","importMode":"delete"}'],
  ])('does so %s', (_, eTag, text) => {
    expect(deleteLine({ id: 'ä"' }, eTag)).toBe(text);
  });
});
