import { describe, expect, it } from 'vitest';

import { hubOfName } from '../../../../src/lib/mirror/events/hubNames.ts';
import { readEvent } from '../../../../src/lib/mirror/events/readEvent.ts';
import { rawEvent, wholeTwin } from './sampleEvents.ts';

const origin = {
  hubOfName: hubOfName(
    new Map([
      ['default', 'my-hub.azure-devices.net'],
      ['b', 'other.azure-devices.net'],
    ]),
  ),
};
const read = (raw: Parameters<typeof readEvent>[0]) => readEvent(raw, origin);

const base = {
  hub: 'default',
  deviceId: 'd1',
  at: '2026-11-20T10:11:12.1234567Z',
  place: rawEvent('', '').place,
};
const empty = { tags: {}, desired: {}, reported: {} };
const TWIN = { source: 'twinChangeEvents' };

describe('an event of a hub', () => {
  it.each([
    ['createDeviceIdentity', { source: 'deviceLifecycleEvents' }, {}],
    ['createDeviceIdentity', { source: 'deviceLifecycleEvents', moduleId: 'm1' }, { moduleId: 'm1' }],
    ['createModuleIdentity', { source: 'moduleLifecycleEvents', moduleId: 'm1' }, { moduleId: 'm1' }],
  ])('tells a creation: %s of %j', (opType, where, ids) => {
    expect(read(rawEvent(opType, wholeTwin(ids), where))).toEqual({
      event: { ...base, ...ids, kind: 'created', twin: { ...empty, version: 2 } },
      name: opType,
      isLifecycle: true,
    });
  });

  it.each([
    ['deleteDeviceIdentity', {}, wholeTwin()],
    ['deleteDeviceIdentity', { moduleId: 'm1' }, wholeTwin({ moduleId: 'm1' })],
    ['deleteModuleIdentity', { source: 'moduleLifecycleEvents', moduleId: 'm1' }, undefined],
    ['deleteDeviceIdentity', {}, 'no JSON'],
  ])('tells a deletion, whatever its body says: %s of %j', (opType, where, body) => {
    const { moduleId } = where as { moduleId?: string };
    expect(read(rawEvent(opType, body, where))).toEqual({
      event: { ...base, ...(moduleId === undefined ? {} : { moduleId }), kind: 'deleted' },
      name: opType,
      isLifecycle: true,
    });
  });

  it('tells a change of a twin, without what the hub adds to it', () => {
    const body = {
      version: 4,
      tags: { site: 'faro', gone: null },
      properties: {
        desired: { t: 21, deep: { $odd: 1 }, $metadata: { $lastUpdated: '2026-11-20T10:11:12.1234567Z' }, $version: 2 },
        reported: { battery: 7, $version: 9 },
      },
    };
    expect(read(rawEvent('updateTwin', body, TWIN))).toEqual({
      event: {
        ...base,
        kind: 'updated',
        version: 4,
        patch: { tags: { site: 'faro', gone: null }, desired: { t: 21, deep: { $odd: 1 } }, reported: { battery: 7 } },
      },
      name: 'updateTwin',
      isLifecycle: false,
    });
    expect(read(rawEvent('updateTwin', { version: '5', tags: null }, TWIN))).toMatchObject({
      event: { version: 5, patch: {} },
    });
  });

  it('tells a whole twin, in which null is nothing', () => {
    const body = wholeTwin({ version: 7, tags: { a: { b: null, c: 1 }, d: null }, properties: { desired: { t: 1 } } });
    expect(read(rawEvent('replaceTwin', body, TWIN))).toEqual({
      event: {
        ...base,
        kind: 'replaced',
        twin: { version: 7, tags: { a: { c: 1 } }, desired: { t: 1 }, reported: {} },
      },
      name: 'replaceTwin',
      isLifecycle: false,
    });
  });

  it('keeps keys that look like those of objects', () => {
    const body = '{"version":4,"tags":{"__proto__":{"x":1}}}';
    const found = read(rawEvent('updateTwin', body, TWIN));
    expect('event' in found && JSON.stringify(found.event)).toContain('"tags":{"__proto__":{"x":1}}');
  });

  it.each([
    ['updateModuleIdentity', {}],
    ['', TWIN],
  ])('of an operation that is not known has the registry asked: %j', (opType, where) => {
    expect(read(rawEvent(opType, wholeTwin(), where))).toMatchObject({ event: { ...base, kind: 'doubted' } });
  });

  it.each([
    [undefined, '2026-11-20T10:11:12.2500000Z'],
    ['today', '2026-11-20T10:11:12.2500000Z'],
    [1795169472, '2026-11-20T10:11:12.2500000Z'],
    ['2036-11-20T10:11:12Z', '2026-11-20T10:11:12.2500000Z'],
    ['2026-11-20T10:11:12.12Z', '2026-11-20T10:11:12.1200000Z'],
    [new Date('2026-11-20T10:11:12.120Z'), '2026-11-20T10:11:12.1200000Z'],
  ])('done at %j was done at %s', (operationTimestamp, at) => {
    const raw = rawEvent('deleteDeviceIdentity', wholeTwin(), { properties: { operationTimestamp } });
    expect(read(raw)).toMatchObject({ event: { at } });
  });
});

describe('what is no change of an identity is ignored, by its kind', () => {
  it.each([
    ['Telemetry', { source: 'Telemetry', properties: { opType: 'deleteDeviceIdentity' } }, 'Telemetry'],
    ['a connection', { source: 'deviceConnectionStateEvents' }, 'deviceConnectionStateEvents'],
    ['a digital twin', { source: 'digitalTwinChangeEvents' }, 'digitalTwinChangeEvents'],
    ['a job', { source: 'deviceJobLifecycleEvents' }, 'deviceJobLifecycleEvents'],
    ['no source', { source: '', properties: { 'iothub-message-schema': undefined } }, 'unknown'],
    ['a text that is no name', { source: 'sig=abc %2F' }, 'unknown'],
    [
      'a message of a device that looks like an event, where sources are not marked',
      { source: '', annotations: { 'iothub-connection-auth-method': '{"scope":"device"}' } },
      'unknown',
    ],
  ])('%s', (_, where, ignored) => {
    expect(read(rawEvent('deleteDeviceIdentity', wholeTwin(), where))).toEqual({ ignored });
  });

  it('but the schema tells it where sources are not marked', () => {
    expect(read(rawEvent('deleteDeviceIdentity', wholeTwin(), { source: '' }))).toMatchObject({
      event: { kind: 'deleted' },
    });
  });
});

describe('the hub of an event', () => {
  const hubOf = (properties: object, annotations = {}, given = {}) =>
    readEvent(rawEvent('deleteDeviceIdentity', undefined, { properties: { ...properties }, annotations }), {
      ...origin,
      ...given,
    });

  it.each([
    ['its property', { hubName: 'MY-HUB' }, {}, 'default'],
    ['a host name', { hubName: 'other.azure-devices.net' }, {}, 'b'],
    ['the user id', { hubName: undefined }, { 'user-id': 'other' }, 'b'],
    ['the user id in base64', { hubName: undefined }, { 'user-id': Buffer.from('other').toString('base64') }, 'b'],
  ])('is told by %s', (_, properties, annotations, hub) => {
    expect(hubOf(properties, annotations)).toMatchObject({ event: { hub } });
  });

  it('is that of its source', () => {
    expect(hubOf({ hubName: 'whatever' }, {}, { hub: 'b' })).toMatchObject({ event: { hub: 'b' } });
  });

  it.each([
    [{ hubName: 'foreign' }, {}, 'foreign'],
    [{ hubName: undefined }, { 'user-id': { length: 6, isEmpty: false } }, 'unknown'],
    [{ hubName: 'SharedAccessKey=abc' }, {}, 'unknown'],
  ])('that is not configured, or not told, is foreign: %j', (properties, annotations, foreign) => {
    expect(hubOf(properties, annotations)).toEqual({ foreign });
  });

  it('of a simulator is the only one there is', () => {
    const simulated = 'HostName=127.0.0.1:8081;SharedAccessKeyName=a;SharedAccessKey=YQ==;UseDevelopmentEmulator=true';
    expect(hubOfName(new Map([['default', simulated]]))('sim')).toBe('default');
    expect(
      hubOfName(
        new Map([
          ['default', simulated],
          ['b', 'other.azure-devices.net'],
        ]),
      )('sim'),
    ).toBeUndefined();
  });
});

describe('an event that cannot be used', () => {
  const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;
  const doubted = { ...base, kind: 'doubted' };

  it.each<[string, string, unknown, object, unknown]>([
    ['notJson', 'updateTwin', '{"version":4', TWIN, doubted],
    ['notJson', 'updateTwin', Buffer.from([0xff, 0xfe, 0x7b]), TWIN, doubted],
    ['notJson', 'createDeviceIdentity', '', {}, doubted],
    ['wrongShape', 'updateTwin', '[1]', TWIN, doubted],
    ['wrongShape', 'updateTwin', { version: 4, tags: 'x' }, TWIN, doubted],
    ['wrongShape', 'replaceTwin', { version: 4, properties: { desired: [1] } }, TWIN, doubted],
    ['wrongShape', 'replaceTwin', { version: 4, properties: 7 }, TWIN, doubted],
    ['noVersion', 'updateTwin', { tags: {} }, TWIN, doubted],
    ['noVersion', 'replaceTwin', { version: 1.5 }, TWIN, doubted],
    ['twinTooDeep', 'updateTwin', `{"version":4,"tags":${deep}}`, TWIN, doubted],
    [
      'twinTooDeep',
      'updateTwin',
      `{"version":4,"tags":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
      TWIN,
      doubted,
    ],
    ['twinTooLarge', 'updateTwin', { version: 4, tags: { a: 'x'.repeat(20_000) } }, TWIN, doubted],
    [
      'twinTooLarge',
      'createDeviceIdentity',
      wholeTwin({ properties: { desired: { a: 'x'.repeat(70_000) } } }),
      {},
      doubted,
    ],
    ['bodyTooLarge', 'updateTwin', Buffer.alloc(9 * 1024 * 1024, 'junk'), TWIN, doubted],
    ['bodyLost', 'updateTwin', undefined, TWIN, doubted],
    ['idsDiffer', 'createDeviceIdentity', wholeTwin({ deviceId: 'd2' }), {}, doubted],
    ['idsDiffer', 'createDeviceIdentity', wholeTwin({ moduleId: 'm1' }), {}, doubted],
    ['noDeviceId', 'updateTwin', { version: 4 }, { ...TWIN, deviceId: '' }, undefined],
    ['idInvalid', 'updateTwin', { version: 4 }, { ...TWIN, deviceId: 'a b' }, undefined],
    ['idInvalid', 'updateTwin', { version: 4 }, { ...TWIN, deviceId: 'x'.repeat(129) }, undefined],
    ['idInvalid', 'updateTwin', { version: 4 }, { ...TWIN, moduleId: 'a/b' }, undefined],
  ])('is dead: %s of %s', (code, opType, body, where, doubt) => {
    const found = read(rawEvent(opType, body, where));
    expect(found).toEqual({
      dead: { code, message: expect.any(String), ...actionOf(found) },
      ...(doubt ? { doubt } : {}),
    });
  });

  it('is not one whose creation tells no version, whose id is in its body alone, or looks like a number', () => {
    expect(read(rawEvent('createDeviceIdentity', { ...wholeTwin(), version: undefined }))).toMatchObject({
      event: { kind: 'created', twin: { version: 0 } },
    });
    expect(read(rawEvent('createDeviceIdentity', wholeTwin(), { deviceId: '' }))).toMatchObject({
      event: { deviceId: 'd1' },
    });
    const numbers = { annotations: { 'iothub-connection-device-id': 42 }, properties: { deviceId: '042' } };
    expect(read(rawEvent('deleteDeviceIdentity', undefined, numbers))).toMatchObject({ event: { deviceId: '042' } });
  });

  it('tells no secret of it', () => {
    const secret = 'qv3ZkLm9Qx7PtRb2NwYc5AqJ8sUd4FhG6KeT1oViWs=';
    const bodies = [`{"key":"${secret}`, { version: 4, tags: secret }, { version: 4, properties: { desired: secret } }];
    for (const body of bodies) {
      const found = read(rawEvent('updateTwin', body, TWIN));
      expect('dead' in found && JSON.stringify(found)).not.toContain(secret);
    }
  });

  function actionOf(found: ReturnType<typeof read>): object {
    return 'dead' in found && 'action' in found.dead ? { action: found.dead.action } : {};
  }
});
