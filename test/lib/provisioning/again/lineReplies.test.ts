import { describe, expect, test } from 'vitest';

import { IMPORT_MODES } from '../../../../src/lib/devicesFile/importMode.ts';
import {
  afterFailure,
  afterPatch,
  afterReply,
  itemOf,
  patchOf,
} from '../../../../src/lib/provisioning/again/lineReplies.ts';
import type { LineState } from '../../../../src/lib/provisioning/again/waves.ts';
import { type BulkResult, HubError } from '../../../../src/lib/registry/index.ts';

const PENDING: LineState = { is: 'pending', tries: 0 };
const MANY = { singly: false, links: false };
const SINGLY = { singly: true, links: false };
const LINKS = { singly: false, links: true };

/** The reply of a bulk call, with its errors by device; `''`: one that names nobody. */
function reply(
  errors: readonly (readonly [deviceId: string, name: string])[],
  more: Partial<BulkResult> = {},
): BulkResult {
  return {
    isSuccessful: errors.length === 0,
    errors: errors.map(([deviceId, name]) => ({
      ...(deviceId === '' ? {} : { deviceId }),
      error: { name, code: undefined },
      detail: { text: '' } as never,
    })),
    warnings: [],
    ...more,
  };
}

/** A letter for each state. */
function letterOf(state: LineState | undefined): string {
  if (state?.is === 'pending') return state.maybe ? 'M' : 'P';
  return { succeeded: 'S', failed: 'F', quota: 'Q', doubtful: '?', warned: 'W', sent: '!' }[state?.is ?? 'sent'];
}

interface CodeRow {
  readonly name: string;
  readonly given: string;
  /**
   * What a line of each mode is: Pending, M: pending and May have been applied, Quota, Failed, Succeeded, Warned, ?: only the
   * registry can tell, -: never sent so.
   */
  readonly expected: string;
}

function letters(code: string, state: LineState, wave: typeof MANY): string {
  return IMPORT_MODES.map((importMode) => {
    const sent = [{ line: { id: 'd1', importMode }, state }];
    const [after] = afterReply(sent, reply([['d1', code]]), wave);
    expect(after?.tries).toBe(state.tries + 1);
    return letterOf(after);
  }).join(' ');
}

// Columns: create, createOrUpdate, createOrUpdateIfMatchETag, update, updateIfMatchETag, updateTwin, updateTwinIfMatchETag,
// delete, deleteIfMatchETag.

describe('a line that was sent before, and is answered in a bulk call', () => {
  test.for<CodeRow>([
    { name: 'a throttle passes, and has done nothing', given: 'ThrottlingException', expected: 'P P P P P P P P P' },
    { name: 'so does another job', given: 'JobQuotaExceeded', expected: 'P P P P P P P P P' },
    { name: 'trouble of the hub passes', given: 'ServerBusy', expected: 'M M M M M M M M M' },
    { name: 'so does a number of the hub that nobody knows', given: 'Error504999', expected: 'M M M M M M M M M' },
    // Its margin may have been in the way.
    { name: 'a full hub may have a place for one', given: 'IotHubQuotaExceeded', expected: 'Q Q Q Q Q Q Q Q Q' },
    // The try before may have been applied, although it ended in an error.
    { name: 'that it exists proves nothing', given: 'DeviceAlreadyExists', expected: '? ? ? ? ? ? ? ? ?' },
    { name: 'another ETag proves nothing', given: 'PreconditionFailed', expected: '? ? ? ? ? ? ? ? ?' },
    { name: 'a refusal proves nothing', given: 'ArgumentInvalid', expected: '? ? ? ? ? ? ? ? ?' },
    { name: 'what is to be deleted has gone', given: 'DeviceNotFound', expected: '? ? ? ? ? ? ? S S' },
    { name: 'so has a module', given: 'ModuleNotFound', expected: '? ? ? ? ? ? ? S S' },
    { name: 'an error that nobody knows proves nothing', given: 'SomethingNew', expected: '? ? ? ? ? ? ? ? ?' },
  ])('$name', ({ given, expected }) => {
    expect(letters(given, PENDING, MANY)).toBe(expected);
  });
});

describe('a line that met a full hub, answered one by one', () => {
  test.for<CodeRow>([
    { name: 'the hub is full', given: 'IotHubQuotaExceeded', expected: 'F F F F F F F F F' },
    { name: 'a throttle passes', given: 'ThrottlingException', expected: 'P P P P P P P P P' },
    { name: 'trouble of the hub passes', given: 'ServerBusy', expected: 'M M M M M M M M M' },
    // What a lost reply before it would explain proves nothing; all else is the last word.
    { name: 'it exists', given: 'DeviceAlreadyExists', expected: '? F F F F F F F F' },
    { name: 'the module exists', given: 'ModuleAlreadyExistsOnDevice', expected: '? F F F F F F F F' },
    { name: 'another ETag', given: 'PreconditionFailed', expected: 'F F ? F ? F ? F ?' },
    { name: 'it is not there', given: 'DeviceNotFound', expected: 'F F F F F F F S S' },
    { name: 'a refusal', given: 'ArgumentInvalid', expected: 'F F F F F F F F F' },
  ])('$name', ({ given, expected }) => {
    expect(letters(given, PENDING, SINGLY)).toBe(expected);
  });
});

describe('a line that links a device to its parent', () => {
  test.for<CodeRow>([
    { name: 'the hub is full', given: 'IotHubQuotaExceeded', expected: 'Q Q Q Q Q Q Q Q Q' },
    { name: 'trouble of the hub passes', given: 'ServerBusy', expected: 'M M M M M M M M M' },
    { name: 'another ETag', given: 'PreconditionFailed', expected: 'F F ? F ? F ? F ?' },
    { name: 'a scope that is refused', given: 'InvalidDeviceScope', expected: 'F F F F F F F F F' },
  ])('$name', ({ given, expected }) => {
    expect(letters(given, PENDING, LINKS)).toBe(expected);
  });
});

describe('a line of which only the twin is written once more', () => {
  test.for<CodeRow>([
    // The identity is there all the same.
    { name: 'a refusal leaves it without its twin', given: 'ArgumentInvalid', expected: 'W W W W W W W - -' },
    { name: 'trouble of the hub passes', given: 'ServerBusy', expected: 'M M M M M M M - -' },
    { name: 'a throttle passes', given: 'ThrottlingException', expected: 'P P P P P P P - -' },
    {
      name: 'no success, where the hub does not know the device',
      given: 'DeviceNotFound',
      expected: '? ? ? ? ? ? ? - -',
    },
    { name: 'nor the module', given: 'ModuleNotFound', expected: '? ? ? ? ? ? ? - -' },
  ])('$name', ({ given, expected }) => {
    const found = letters(given, { ...PENDING, twinOnly: true }, MANY).split(' ');
    expect(found.map((letter, at) => (expected[2 * at] === '-' ? '-' : letter)).join(' ')).toBe(expected);
  });
});

interface ReplyRow {
  readonly name: string;
  readonly given: {
    /** What was sent, all of it creates: ids, with the module after a slash. Default: d1. */
    readonly ids?: readonly string[];
    readonly state?: Partial<LineState>;
    readonly result: BulkResult;
  };
  readonly expected: readonly LineState[];
}

const WITHOUT_TWIN = { deviceId: 'd1', name: 'DeviceRegisteredWithoutTwin' };
const DONE: LineState = { is: 'succeeded', tries: 1 };
const ALONE: LineState = { is: 'pending', tries: 1, alone: true };

describe('the lines of a bulk call', () => {
  test.for<ReplyRow>([
    { name: 'succeed without an error', given: { ids: ['d1', 'd2/m'], result: reply([]) }, expected: [DONE, DONE] },
    {
      name: 'that succeed have nothing left of what they met before',
      given: {
        state: { tries: 2, code: 'Timeout', maybe: true, alone: true, twinOnly: true },
        result: reply([]),
      },
      expected: [{ is: 'succeeded', tries: 3 }],
    },
    {
      name: 'have an error each',
      given: {
        ids: ['d1', 'd2', 'd3'],
        result: reply([
          ['d3', 'ThrottlingException'],
          ['d1', 'ServerBusy'],
        ]),
      },
      expected: [
        { is: 'pending', tries: 1, code: 'ServerBusy', maybe: true },
        DONE,
        { is: 'pending', tries: 1, code: 'ThrottlingException' },
      ],
    },
    {
      name: 'may have been applied once a call may have: a throttle later changes nothing about that',
      given: { state: { tries: 1, code: 'Timeout', maybe: true }, result: reply([['d1', 'ThrottlingException']]) },
      expected: [{ is: 'pending', tries: 2, code: 'ThrottlingException', maybe: true }],
    },
    {
      name: 'have their error also where the hub calls the call a success',
      given: { result: reply([['d1', 'ArgumentInvalid']], { isSuccessful: true }) },
      expected: [{ is: 'doubtful', tries: 1, code: 'ArgumentInvalid' }],
    },
    {
      name: 'of modules have the error that names their device: no two of one device share a call',
      given: { ids: ['d1/m', 'd2'], result: reply([['d1', 'ServerBusy']]) },
      expected: [{ is: 'pending', tries: 1, code: 'ServerBusy', maybe: true }, DONE],
    },
    {
      name: 'are told apart by the case of their ids',
      given: { ids: ['Pump', 'pump'], result: reply([['pump', 'ServerBusy']]) },
      expected: [DONE, { is: 'pending', tries: 1, code: 'ServerBusy', maybe: true }],
    },
    {
      name: 'are known by ids of any alphabet',
      given: { ids: ['größe-泵-😀', 'd2'], result: reply([['größe-泵-😀', 'ServerBusy']]) },
      expected: [{ is: 'pending', tries: 1, code: 'ServerBusy', maybe: true }, DONE],
    },
    {
      name: 'go one by one when an error names nobody',
      given: { ids: ['d1', 'd2'], result: reply([['', 'ArgumentInvalid']]) },
      expected: [ALONE, ALONE],
    },
    {
      name: 'go one by one when an error names somebody else, but for the one that has its own',
      given: {
        ids: ['d1', 'd2'],
        result: reply([
          ['stranger', 'ArgumentInvalid'],
          ['d2', 'ServerBusy'],
        ]),
      },
      expected: [ALONE, { is: 'pending', tries: 1, code: 'ServerBusy', maybe: true }],
    },
    {
      name: 'go one by one when the call failed and says nothing of anybody',
      given: { ids: ['d1', 'd2'], result: reply([], { isSuccessful: false }) },
      expected: [ALONE, ALONE],
    },
    {
      name: 'that are alone have the error that names nobody',
      given: { result: reply([['', 'ArgumentInvalid']]) },
      expected: [{ is: 'doubtful', tries: 1, code: 'ArgumentInvalid' }],
    },
    {
      name: 'that are alone are in doubt when the error names somebody else',
      given: { result: reply([['stranger', 'ArgumentInvalid']]) },
      expected: [{ is: 'doubtful', tries: 1, code: 'Unknown' }],
    },
    {
      name: 'that are alone are in doubt when the call failed and says nothing',
      given: { result: reply([], { isSuccessful: false }) },
      expected: [{ is: 'doubtful', tries: 1, code: 'Unknown' }],
    },
    {
      name: 'registered without their twin have it written next',
      given: { ids: ['d1', 'd2'], result: reply([], { warnings: [WITHOUT_TWIN] }) },
      expected: [{ is: 'pending', tries: 1, twinOnly: true, code: 'DeviceRegisteredWithoutTwin' }, DONE],
    },
    {
      name: 'that have an error and a warning have the error',
      given: { result: reply([['d1', 'ArgumentInvalid']], { warnings: [WITHOUT_TWIN] }) },
      expected: [{ is: 'doubtful', tries: 1, code: 'ArgumentInvalid' }],
    },
  ])('$name', ({ given: { ids = ['d1'], state, result }, expected }) => {
    const sent = ids.map((text) => {
      const [id = '', moduleId] = text.split('/');
      const line = { id, importMode: 'create', ...(moduleId === undefined ? {} : { moduleId }) };
      return { line, state: { ...PENDING, ...state } };
    });
    expect(afterReply(sent, result, MANY)).toEqual(expected);
  });
});

function failure(fields: Partial<ConstructorParameters<typeof HubError>[0]>): HubError {
  return new HubError({ code: 'X', kind: 'server', retryable: false, outcomeUnknown: false, message: '', ...fields });
}

const THROTTLED = failure({ code: 'ThrottlingException', kind: 'throttled', retryable: true });
const ROTATED = failure({ code: 'IotHubUnauthorized', kind: 'unauthorized' });
const FORBIDDEN = failure({ code: 'GenericForbidden', kind: 'forbidden' });
const SILENCE = failure({ code: 'Timeout', kind: 'timeout', retryable: true, outcomeUnknown: true });
const GARBLED = failure({ code: 'InvalidReply', outcomeUnknown: true });
const BUSY = failure({ code: 'ServiceUnavailable', retryable: true });
const REFUSED = failure({ code: 'ArgumentInvalid', kind: 'badRequest' });
const FULL = failure({ code: 'IotHubQuotaExceeded', kind: 'quota' });
const OWN = failure({ code: 'HubKeeperFault', kind: 'own' });

interface FailureRow {
  readonly name: string;
  readonly given: {
    readonly error: HubError;
    /** How many lines the call had. Default: 2. */
    readonly lines?: number;
    readonly wave?: typeof MANY;
    readonly state?: Partial<LineState>;
  };
  /** Of each of its lines. */
  readonly expected: LineState;
}

describe('the lines of a call that failed as a whole', () => {
  const code = 'ThrottlingException';
  test.for<FailureRow>([
    {
      name: 'were not tried when it was throttled',
      given: { error: THROTTLED },
      expected: { is: 'pending', tries: 0, code },
    },
    {
      name: 'were not tried when it was throttled, and may still have been applied by the call before',
      given: { error: THROTTLED, state: { tries: 1, code: 'Timeout', maybe: true } },
      expected: { is: 'pending', tries: 1, code, maybe: true },
    },
    {
      name: 'wait when the key of the app is refused',
      given: { error: ROTATED },
      expected: { is: 'pending', tries: 1, code: 'IotHubUnauthorized' },
    },
    {
      name: 'wait when the app lacks a right',
      given: { error: FORBIDDEN, lines: 1 },
      expected: { is: 'pending', tries: 1, code: 'GenericForbidden' },
    },
    {
      name: 'may have been applied when the reply was lost',
      given: { error: SILENCE },
      expected: { is: 'pending', tries: 1, code: 'Timeout', maybe: true },
    },
    {
      name: 'may have been applied when the reply cannot be read',
      given: { error: GARBLED },
      expected: { is: 'pending', tries: 1, code: 'InvalidReply', maybe: true },
    },
    {
      name: 'are sent again when the hub was busy, and are not taken for untouched',
      given: { error: BUSY },
      expected: { is: 'pending', tries: 1, code: 'ServiceUnavailable', maybe: true },
    },
    {
      name: 'go one by one when it was refused: one of them may be the reason',
      given: { error: REFUSED },
      expected: { is: 'pending', tries: 0, alone: true },
    },
    {
      name: 'are in doubt when it was refused and had one line',
      given: { error: REFUSED, lines: 1 },
      expected: { is: 'doubtful', tries: 1, code: 'ArgumentInvalid' },
    },
    {
      name: 'have failed when it was refused and went one by one',
      given: { error: REFUSED, lines: 1, wave: SINGLY },
      expected: { is: 'failed', tries: 1, code: 'ArgumentInvalid' },
    },
    {
      name: 'go one by one when the hub is full for the call',
      given: { error: FULL },
      expected: { is: 'pending', tries: 0, alone: true },
    },
    {
      name: 'wait for a place when the hub is full for one',
      given: { error: FULL, lines: 1 },
      expected: { is: 'quota', tries: 1, code: 'IotHubQuotaExceeded' },
    },
    {
      name: 'have failed when the hub is full for one that went one by one',
      given: { error: FULL, lines: 1, wave: SINGLY },
      expected: { is: 'failed', tries: 1, code: 'IotHubQuotaExceeded' },
    },
    {
      name: 'go one by one when our own code failed at one of them',
      given: { error: OWN },
      expected: { is: 'pending', tries: 0, alone: true },
    },
    {
      name: 'are not retried when our own code failed at one',
      given: { error: OWN, lines: 1 },
      expected: { is: 'doubtful', tries: 1, code: 'HubKeeperFault' },
    },
    {
      name: 'have failed when our own code failed at one that went one by one',
      given: { error: OWN, lines: 1, wave: SINGLY },
      expected: { is: 'failed', tries: 1, code: 'HubKeeperFault' },
    },
    {
      name: 'have their identity when the twin alone was refused',
      given: { error: REFUSED, lines: 1, state: { twinOnly: true } },
      expected: { is: 'warned', tries: 1, twinOnly: true, code: 'ArgumentInvalid' },
    },
  ])('$name', ({ given: { error, lines = 2, wave = MANY, state }, expected }) => {
    const sent = Array.from({ length: lines }, (_, at) => ({
      line: { id: `d${at}`, importMode: 'create' },
      state: { ...PENDING, ...state },
    }));
    expect(afterFailure(sent, error, wave)).toEqual(sent.map(() => expected));
  });
});

interface PatchRow {
  readonly name: string;
  readonly given: { readonly error?: HubError; readonly state?: Partial<LineState> };
  readonly expected: LineState;
}

describe('a line whose twin was patched', () => {
  test.for<PatchRow>([
    { name: 'is done', given: {}, expected: DONE },
    {
      name: 'is done, whatever it met before',
      given: { state: { tries: 2, code: 'Timeout', maybe: true } },
      expected: { is: 'succeeded', tries: 3 },
    },
    {
      name: 'was not tried when it was throttled',
      given: { error: THROTTLED },
      expected: { is: 'pending', tries: 0, code: 'ThrottlingException' },
    },
    {
      name: 'waits for rights that the app lacks at the moment',
      given: { error: ROTATED },
      expected: { is: 'pending', tries: 1, code: 'IotHubUnauthorized' },
    },
    {
      name: 'waits for rights that a firewall takes at the moment',
      given: { error: FORBIDDEN },
      expected: { is: 'pending', tries: 1, code: 'GenericForbidden' },
    },
    {
      name: 'may be patched when the reply was lost',
      given: { error: SILENCE },
      expected: { is: 'pending', tries: 1, code: 'Timeout', maybe: true },
    },
    {
      name: 'may be patched when the reply cannot be read',
      given: { error: GARBLED },
      expected: { is: 'pending', tries: 1, code: 'InvalidReply', maybe: true },
    },
    {
      name: 'may be patched after a throttle if it may have been before',
      given: { error: THROTTLED, state: { tries: 1, code: 'Timeout', maybe: true } },
      expected: { is: 'pending', tries: 1, code: 'ThrottlingException', maybe: true },
    },
    {
      name: 'has failed when the device is gone',
      given: { error: failure({ code: 'DeviceNotFound', kind: 'notFound' }) },
      expected: { is: 'failed', tries: 1, code: 'DeviceNotFound' },
    },
    {
      name: 'has failed when it was refused',
      given: { error: REFUSED },
      expected: { is: 'failed', tries: 1, code: 'ArgumentInvalid' },
    },
    {
      name: 'has failed when our own code failed',
      given: { error: OWN },
      expected: { is: 'failed', tries: 1, code: 'HubKeeperFault' },
    },
  ])('$name', ({ given: { error, state }, expected }) => {
    expect(afterPatch({ ...PENDING, ...state }, error)).toEqual(expected);
  });
});

interface TextRow {
  readonly name: string;
  readonly given: { readonly text: string; readonly state?: Partial<LineState> };
  readonly expected: string;
}

describe('what is sent of a line', () => {
  const tags = '"tags":{"a":1.0,"10":"x","2":"y"}';
  test.for<TextRow>([
    {
      name: 'all of it, as it is written',
      given: { text: `{"id":"d1", "importMode":"create",${tags}}` },
      expected: `{"id":"d1", "importMode":"create",${tags}}`,
    },
    {
      name: 'its twin alone, where the identity is there',
      given: { text: `{"id":"d1","importMode":"create","authentication":{},${tags}}`, state: { twinOnly: true } },
      expected: `{"id":"d1","importMode":"updateTwin","status":"enabled",${tags}}`,
    },
    {
      name: 'the twin of a module, without what devices report',
      given: {
        text: '{"id":"d1","moduleId":"m","properties":{"desired":{"b":2.50},"reported":{}}}',
        state: { twinOnly: true },
      },
      expected:
        '{"id":"d1","moduleId":"m","importMode":"updateTwin","status":"enabled","properties":{"desired":{"b":2.50}}}',
    },
    {
      name: 'the twin of a device whose module is null',
      given: { text: `{"id":"d1","moduleId":null,${tags}}`, state: { twinOnly: true } },
      expected: `{"id":"d1","importMode":"updateTwin","status":"enabled",${tags}}`,
    },
    {
      name: 'nothing of its twin, where it gives none',
      given: { text: '{"id":"d1","importMode":"create","tags":null}', state: { twinOnly: true } },
      expected: '{"id":"d1","importMode":"updateTwin","status":"enabled"}',
    },
  ])('$name', ({ given: { text, state }, expected }) => {
    expect(itemOf(text, { ...PENDING, ...state })).toBe(expected);
  });

  test.for<{ readonly name: string; readonly given: string; readonly expected: string }>([
    {
      name: 'both sections, as they are written',
      given: '{"id":"d","status":"enabled","tags":{"10":null,"2":1.0},"properties":{"desired":{"x":{"y":null}}}}',
      expected: '{"tags":{"10":null,"2":1.0},"properties":{"desired":{"x":{"y":null}}}}',
    },
    {
      name: 'one section of a module',
      given: '{"id":"d","moduleId":"m","importMode":"updateTwin","tags":{"größe":"😀"}}',
      expected: '{"tags":{"größe":"😀"}}',
    },
    {
      name: 'no section that is null',
      given: '{"id":"d","tags":null,"properties":{"desired":{}}}',
      expected: '{"properties":{"desired":{}}}',
    },
  ])('as a patch: $name', ({ given, expected }) => {
    expect(patchOf(given)).toBe(expected);
  });
});
