import { describe, expect, it } from 'vitest';

import {
  afterFailure,
  afterPatch,
  afterReply,
  itemOf,
  patchOf,
} from '../../../../src/lib/provisioning/again/lineReplies.ts';
import type { LineState } from '../../../../src/lib/provisioning/again/rounds.ts';
import { HubError } from '../../../../src/lib/registry/index.ts';

const PENDING: LineState = { is: 'pending', tries: 0 };
const detail = { text: '' } as never;
const sent = (importMode: string, state: LineState = PENDING) => [{ line: { id: 'd1', importMode }, state }];
const error = (name: string, deviceId: string | null = 'd1') => ({
  isSuccessful: false,
  errors: [{ ...(deviceId === null ? {} : { deviceId }), error: { name, code: undefined }, detail }],
  warnings: [],
});
const many = { singly: false, links: false };

describe('a line after the reply to its call', () => {
  it.each([
    ['create', 'DeviceAlreadyExists', 'doubtful'],
    ['create', 'ServerError', 'pending'],
    ['create', 'IotHubQuotaExceeded', 'quota'],
    // An earlier try may have been applied, although it ended in an error.
    ['create', 'ArgumentInvalid', 'doubtful'],
    ['update', 'DeviceNotFound', 'doubtful'],
    ['delete', 'DeviceNotFound', 'succeeded'],
    ['deleteIfMatchETag', 'PreconditionFailed', 'doubtful'],
    ['updateIfMatchETag', 'PreconditionFailed', 'doubtful'],
  ])('in mode %s answered %s is %s', (mode, name, is) => {
    expect(afterReply(sent(mode), error(name), many)[0]).toMatchObject({ is, tries: 1 });
  });

  it('that met a full hub one by one has failed', () => {
    expect(afterReply(sent('create'), error('IotHubQuotaExceeded'), { singly: true, links: false })[0]).toMatchObject({
      is: 'failed',
    });
  });

  it('that was registered without its twin has its twin written next, and nothing else', () => {
    const warnings = [{ deviceId: 'd1', name: 'DeviceRegisteredWithoutTwin' }];
    const [state = PENDING] = afterReply(sent('create'), { isSuccessful: true, errors: [], warnings }, many);
    expect(state).toMatchObject({ is: 'pending', twinOnly: true });
    const line = { id: 'd1', importMode: 'create', authentication: { type: 'sas' }, tags: { a: 1 } };
    expect(
      itemOf('{"id":"d1","importMode":"create","authentication":{},"tags":{"a":1.0,"10":"x","2":"y"}}', state),
    ).toBe('{"id":"d1","importMode":"updateTwin","status":"enabled","tags":{"a":1.0,"10":"x","2":"y"}}');
    expect(itemOf('{"id":"d1","moduleId":"m","properties":{"desired":{"b":2.50},"reported":{}}}', state)).toBe(
      '{"id":"d1","moduleId":"m","importMode":"updateTwin","status":"enabled","properties":{"desired":{"b":2.50}}}',
    );
    expect(afterReply([{ line, state }], error('ArgumentInvalid'), many)[0]).toMatchObject({ is: 'warned' });
  });

  it('is sent alone when an error of its call names nobody, or somebody else', () => {
    const two = [...sent('create'), { line: { id: 'd2', importMode: 'create' }, state: PENDING }];
    for (const deviceId of [null, 'stranger']) {
      expect(afterReply(two, error('ArgumentInvalid', deviceId), many)).toMatchObject([
        { is: 'pending', alone: true },
        { is: 'pending', alone: true },
      ]);
    }
    expect(afterReply(sent('create'), error('ArgumentInvalid', null), many)[0]).toMatchObject({ is: 'doubtful' });
  });
});

describe('a line after a call that failed as a whole', () => {
  const failure = (fields: Partial<ConstructorParameters<typeof HubError>[0]>) =>
    new HubError({ code: 'X', kind: 'server', retryable: false, outcomeUnknown: false, message: '', ...fields });

  it('was not tried at all when the call was throttled', () => {
    const throttled = failure({ code: 'ThrottlingException', kind: 'throttled', retryable: true });
    expect(afterFailure(sent('create'), throttled, many)).toEqual([
      { is: 'pending', tries: 0, code: 'ThrottlingException' },
    ]);
  });

  it('was tried when the reply was lost', () => {
    const lost = failure({ code: 'Timeout', kind: 'timeout', retryable: true, outcomeUnknown: true });
    expect(afterFailure(sent('create'), lost, many)).toEqual([
      { is: 'pending', tries: 1, code: 'Timeout', maybe: true },
    ]);
  });

  it('waits when the app may not send anything at the moment', () => {
    const rotated = failure({ code: 'IotHubUnauthorized', kind: 'unauthorized' });
    const two = [...sent('create'), { line: { id: 'd2', importMode: 'create' }, state: PENDING }];
    expect(afterFailure(two, rotated, many)).toMatchObject([
      { is: 'pending', tries: 1, code: 'IotHubUnauthorized' },
      { is: 'pending', tries: 1 },
    ]);
  });

  it('is sent alone when the hub refused the whole call, and is read back when it was alone', () => {
    const refused = failure({ code: 'ArgumentInvalid', kind: 'badRequest' });
    const two = [...sent('create'), { line: { id: 'd2', importMode: 'create' }, state: PENDING }];
    expect(afterFailure(two, refused, many)).toMatchObject([{ alone: true }, { alone: true }]);
    expect(afterFailure(sent('create'), refused, many)).toMatchObject([{ is: 'doubtful', code: 'ArgumentInvalid' }]);
  });
});

describe('a line whose twin was patched', () => {
  const failure = (code: string, fields: Partial<ConstructorParameters<typeof HubError>[0]>) =>
    new HubError({ code, kind: 'server', retryable: false, outcomeUnknown: false, message: '', ...fields });

  it.each([
    ['nothing', undefined, { is: 'succeeded', tries: 1 }],
    [
      'a throttle, which is no try',
      failure('ThrottlingException', { kind: 'throttled', retryable: true }),
      { is: 'pending', tries: 0, code: 'ThrottlingException' },
    ],
    [
      'rights that the app lacks at the moment',
      failure('IotHubUnauthorized', { kind: 'unauthorized' }),
      { is: 'pending', tries: 1, code: 'IotHubUnauthorized' },
    ],
    [
      'a lost reply',
      failure('Timeout', { retryable: true, outcomeUnknown: true }),
      { is: 'pending', tries: 1, code: 'Timeout', maybe: true },
    ],
    [
      'a device that is gone',
      failure('DeviceNotFound', { kind: 'notFound' }),
      { is: 'failed', tries: 1, code: 'DeviceNotFound' },
    ],
  ])('after %s', (_what, error, state) => {
    expect(afterPatch(PENDING, error)).toEqual(state);
  });

  it('is sent as it is written', () => {
    const text = '{"id":"d","status":"enabled","tags":{"10":null,"2":1.0},"properties":{"desired":{"x":{"y":null}}}}';
    expect(patchOf(text)).toBe('{"tags":{"10":null,"2":1.0},"properties":{"desired":{"x":{"y":null}}}}');
  });
});

describe('lines of a call in which our own code failed', () => {
  const own = new HubError({
    code: 'HubKeeperFault',
    kind: 'own',
    retryable: false,
    outcomeUnknown: false,
    message: 'own',
  });
  it('go one by one, and the one that is at fault is not tried again', () => {
    const two = [...sent('delete'), { line: { id: 'd2', importMode: 'delete' }, state: PENDING }];
    expect(afterFailure(two, own, many)).toMatchObject([{ alone: true }, { alone: true }]);
    expect(afterFailure(sent('delete'), own, many)[0]).toMatchObject({ is: 'doubtful', code: 'HubKeeperFault' });
    expect(afterFailure(sent('delete'), own, { ...many, singly: true })[0]).toMatchObject({ is: 'failed' });
  });
});
