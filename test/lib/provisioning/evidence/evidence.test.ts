import { describe, expect, test } from 'vitest';

import { IMPORT_MODES, type ImportMode } from '../../../../src/lib/devicesFile/importMode.ts';
import {
  type Evidence,
  evidenceOf,
  explainsItself,
  type Facts,
  provesNothingDone,
  saysNotThere,
} from '../../../../src/lib/provisioning/evidence/evidence.ts';
import { factsOf, type GivenJob } from './givenFacts.ts';

const DEVICE = { id: 'd' };
const MODULE = { id: 'd', moduleId: 'm' };

/** A letter for each kind of evidence. */
function letterOf({ applied, open, code, doubt }: Evidence): string {
  if (open === 'transient') return 'T';
  if (open === 'quota') return 'Q';
  if (open === 'stale') return applied === 'maybe' ? 'M' : 'C';
  if (applied === 'maybe') return doubt === undefined ? '!' : '?';
  if (applied === 'yes') return code === undefined ? 'S' : 'W';
  return code === undefined ? 'U' : 'F';
}

function letters(identity: { readonly id: string; readonly moduleId?: string }, facts: Facts): string {
  return IMPORT_MODES.map((mode) => letterOf(evidenceOf({ ...identity, mode }, facts))).join(' ');
}

interface CodeRow {
  readonly name: string;
  /** The error of the line; undefined: none. */
  readonly given: number | string | undefined;
  /**
   * What is known of a line of each mode: Succeeded, Unchanged, Warned, Failed, Transient, Quota, ?: only the registry can tell,
   * C: the twin that it was merged into has Changed, M: or has been changed by the line itself, which May have been sent twice.
   */
  readonly expected: string;
}

// Columns: create, createOrUpdate, createOrUpdateIfMatchETag, update, updateIfMatchETag, updateTwin, updateTwinIfMatchETag,
// delete, deleteIfMatchETag.

describe('after one job that completed in time and left its log', () => {
  test.for<CodeRow>([
    { name: 'no error', given: undefined, expected: 'S S S S S S S S S' },
    { name: 'it exists', given: 409001, expected: 'F F F F F F F F F' },
    { name: 'it exists, the number as text', given: '409001', expected: 'F F F F F F F F F' },
    { name: 'it is not there', given: 404001, expected: 'F F F F F F F U U' },
    { name: 'it is not there, by name', given: 'DeviceNotFound', expected: 'F F F F F F F U U' },
    // The ETag that a line of updateTwin compares is this run's own, of the twin that it was merged into.
    { name: 'another ETag', given: 412001, expected: 'F F F F F C F F F' },
    { name: 'another ETag, as a bad request', given: 400023, expected: 'F F F F F C F F F' },
    { name: 'another ETag, by its general name', given: 'GenericPreconditionFailed', expected: 'F F F F F C F F F' },
    { name: 'throttled', given: 429001, expected: 'T T T T T T T T T' },
    { name: 'throttled, by name in other case', given: 'throttlingexception', expected: 'T T T T T T T T T' },
    { name: 'trouble of the hub', given: 500001, expected: 'T T T T T T T T T' },
    { name: 'trouble of the hub, by name', given: 'ServerBusy', expected: 'T T T T T T T T T' },
    { name: 'a number that nobody knows, of the hub', given: 504999, expected: 'T T T T T T T T T' },
    { name: 'a number that nobody knows, of a timeout', given: 408000, expected: 'T T T T T T T T T' },
    { name: 'a number that nobody knows, of what is not implemented', given: 501000, expected: 'F F F F F F F F F' },
    { name: 'another job of the hub was in the way', given: 403003, expected: 'T T T T T T T T T' },
    { name: 'the hub is full', given: 403002, expected: 'Q Q Q Q Q Q Q Q Q' },
    { name: 'a warning', given: 400009, expected: 'W W W W W W W W W' },
    { name: 'its twin is missing', given: 'DeviceRegisteredWithoutTwin', expected: 'W W W W W W W W W' },
    { name: 'a line that the hub cannot read', given: 400012, expected: 'F F F F F F F F F' },
    { name: 'a name that nobody knows', given: 'SomethingNew', expected: 'F F F F F F F F F' },
    { name: 'no code', given: 'Unknown', expected: 'F F F F F F F F F' },
  ])('$name', ({ given, expected }) => {
    expect(letters(DEVICE, factsOf({ log: given === undefined ? [] : [['d', given]] }))).toBe(expected);
    expect(letters(MODULE, factsOf({ log: given === undefined ? [] : [['d/m', given]] }))).toBe(expected);
  });
});

describe('after a job that may be one of two that were given the lines', () => {
  test.for<CodeRow>([
    { name: 'no error', given: undefined, expected: '? ? ? ? ? ? ? ? ?' },
    // What the other job has done explains these.
    { name: 'it exists', given: 409001, expected: '? F F F F F F F F' },
    { name: 'it is not there', given: 404001, expected: 'F F F F F F F S S' },
    { name: 'another scope than the one that it got as an edge device', given: 400028, expected: 'F ? ? ? ? F F F F' },
    { name: 'another ETag', given: 412001, expected: 'F F ? F ? M ? F ?' },
    { name: 'throttled', given: 429001, expected: 'T T T T T T T T T' },
    { name: 'the hub is full', given: 403002, expected: 'Q Q Q Q Q Q Q Q Q' },
    { name: 'its twin is missing', given: 'DeviceRegisteredWithoutTwin', expected: 'W W W W W W W W W' },
    { name: 'a line that the hub cannot read', given: 400012, expected: 'F F F F F F F F F' },
  ])('$name', ({ given, expected }) => {
    const log: GivenJob['log'] = given === undefined ? [] : [['d', given]];
    expect(letters(DEVICE, factsOf({ log, ambiguous: true }))).toBe(expected);
  });
});

describe('after a second job, transiently in the first', () => {
  test.for<CodeRow>([
    { name: 'no error', given: undefined, expected: 'S S S S S S S S S' },
    // A line is sent again as a create where it was for a new device, and with the ETag of the device where it was filled.
    { name: 'it exists', given: 409001, expected: '? ? F - F F F F F' },
    { name: 'it is not there', given: 404001, expected: 'F F F F F F F S S' },
    { name: 'another scope than the one that it got as an edge device', given: 400028, expected: 'F ? ? ? ? F F F F' },
    { name: 'another ETag', given: 412001, expected: 'F ? ? ? ? M ? F ?' },
    { name: 'throttled once more', given: 429001, expected: 'T T T T T T T T T' },
    { name: 'the hub is full', given: 403002, expected: 'Q Q Q Q Q Q Q Q Q' },
    { name: 'its twin is missing', given: 'DeviceRegisteredWithoutTwin', expected: 'W W W W W W W W W' },
    { name: 'a line that the hub cannot read', given: 400012, expected: 'F F F F F F F F F' },
  ])('$name', ({ given, expected }) => {
    const second: GivenJob = { log: given === undefined ? [] : [['d', given]] };
    const found = letters(DEVICE, factsOf({ log: [['d', 500001]] }, second)).split(' ');
    // `-`: a hub never says so.
    expect(found.map((letter, at) => (expected[2 * at] === '-' ? '-' : letter)).join(' ')).toBe(expected);
  });
});

interface EvidenceRow {
  readonly name: string;
  readonly given: {
    readonly mode: ImportMode;
    readonly id?: string;
    readonly moduleId?: string;
    readonly job: GivenJob;
    readonly second?: GivenJob;
  };
  /** `tries`: 1 where nothing is said. */
  readonly expected: Omit<Evidence, 'tries'> & { readonly tries?: number };
}

const doubt = (code: string) => ({ code, reason: expect.any(String) as string });

describe('a line counts', () => {
  test.for<EvidenceRow>([
    {
      name: 'as one that succeeded, where another id has the error',
      given: { mode: 'create', job: { log: [['other', 409001]] } },
      expected: { applied: 'yes' },
    },
    {
      name: 'as one that succeeded, where an id has the error that differs in case alone',
      given: { mode: 'create', id: 'Pump-1', job: { log: [['pump-1', 409001]] } },
      expected: { applied: 'yes' },
    },
    {
      name: 'as one that succeeded, where the module of the device has the error',
      given: { mode: 'update', job: { log: [['d/m', 400004]] } },
      expected: { applied: 'yes' },
    },
    {
      name: 'as one that succeeded, where a module of the same name on another device has the error',
      given: { mode: 'update', moduleId: 'm', job: { log: [['e/m', 400004]] } },
      expected: { applied: 'yes' },
    },
    {
      name: 'as one that succeeded, where the device of the module alone has an error that passes',
      given: { mode: 'updateTwin', moduleId: 'm', job: { log: [['d', 429001]] } },
      expected: { applied: 'yes' },
    },
    {
      name: 'as one that failed, under an id with signs of every alphabet',
      given: { mode: 'create', id: 'größe-泵-😀', job: { log: [['größe-泵-😀', 409001]] } },
      expected: { applied: 'no', code: 409001 },
    },
    {
      name: 'as one that succeeded, where an id has the error that looks the same and is written otherwise',
      given: { mode: 'create', id: 'caf\u00e9', job: { log: [['cafe\u0301', 409001]] } },
      expected: { applied: 'yes' },
    },
    {
      name: 'as the first of two errors says',
      given: {
        mode: 'create',
        job: {
          log: [
            ['d', 500001],
            ['d', 409001],
          ],
        },
      },
      expected: { applied: 'maybe', open: 'transient', code: 500001 },
    },
    {
      name: 'as a permanent error says, whatever became of the job',
      given: { mode: 'create', job: { log: [['d', 400004]], status: 'failed' } },
      expected: { applied: 'no', code: 400004 },
    },
    {
      name: 'as a passing error says, whatever became of the job',
      given: { mode: 'create', job: { log: [['d', 429001]], status: 'cancelled' } },
      expected: { applied: 'no', open: 'transient', code: 429001 },
    },
    {
      name: 'in doubt, where the job was cancelled',
      given: { mode: 'delete', job: { status: 'cancelled' } },
      expected: { applied: 'maybe', doubt: doubt('jobCancelled') },
    },
    {
      name: 'in doubt, where the job left no log',
      given: { mode: 'update', job: { log: 'gone' } },
      expected: { applied: 'maybe', doubt: doubt('logMissing') },
    },
    {
      name: 'in doubt, where an error names nobody',
      given: { mode: 'update', job: { unnamed: [400012] } },
      expected: { applied: 'maybe', doubt: doubt('logUnclear') },
    },
    {
      name: 'as its own error says, where another one names nobody',
      given: { mode: 'update', job: { log: [['d', 400004]], unnamed: [400012] } },
      expected: { applied: 'no', code: 400004 },
    },
    {
      name: 'in doubt, with the error that its first application explains',
      given: { mode: 'create', job: { log: [['d', 409001]], ambiguous: true } },
      expected: { applied: 'maybe', doubt: doubt('sentTwice'), code: 409001 },
    },
    {
      name: 'in doubt, where the second job left no log',
      given: { mode: 'update', job: { log: [['d', 500001]] }, second: { log: 'gone' } },
      expected: { applied: 'maybe', doubt: doubt('logMissing'), tries: 2 },
    },
    {
      name: 'as it failed in the first job, whatever the second says of others',
      given: { mode: 'create', job: { log: [['d', 400004]] }, second: {} },
      expected: { applied: 'no', code: 400004 },
    },
    {
      name: 'as it succeeded in the first job, which the second was not given',
      given: { mode: 'create', job: {}, second: { log: [['d', 400004]] } },
      expected: { applied: 'yes' },
    },
    {
      name: 'as one that met a full hub in the first job, which the second was not given',
      given: { mode: 'create', job: { log: [['d', 403002]] }, second: {} },
      expected: { applied: 'no', open: 'quota', code: 403002 },
    },
    // A module is made after its device.
    {
      name: 'as its device, which is retried, where a module finds no device',
      given: {
        mode: 'create',
        moduleId: 'm',
        job: {
          log: [
            ['d', 429001],
            ['d/m', 404001],
          ],
        },
      },
      expected: { applied: 'maybe', open: 'transient', code: 404001 },
    },
    {
      name: 'as its device, for which the hub was full, where a module finds no device',
      given: {
        mode: 'createOrUpdate',
        moduleId: 'm',
        job: {
          log: [
            ['d', 403002],
            ['d/m', 404001],
          ],
        },
      },
      expected: { applied: 'no', open: 'quota', code: 404001 },
    },
    {
      name: 'as one that failed, where a module finds no device, which has failed for good',
      given: {
        mode: 'create',
        moduleId: 'm',
        job: {
          log: [
            ['d', 400004],
            ['d/m', 404001],
          ],
        },
      },
      expected: { applied: 'no', code: 404001 },
    },
    {
      name: 'as one that failed for its own reason, whatever its device met',
      given: {
        mode: 'create',
        moduleId: 'm',
        job: {
          log: [
            ['d', 429001],
            ['d/m', 409301],
          ],
        },
      },
      expected: { applied: 'no', code: 409301 },
    },
    {
      name: 'unchanged, where a module is to be deleted that is not there, whatever its device met',
      given: {
        mode: 'delete',
        moduleId: 'm',
        job: {
          log: [
            ['d', 429001],
            ['d/m', 404010],
          ],
        },
      },
      expected: { applied: 'no' },
    },
    // What was done after the job is not known.
    {
      name: 'in doubt, where all notes are lost and the log has no error',
      given: { mode: 'update', job: { lost: true } },
      expected: { applied: 'maybe', doubt: doubt('stagingLost') },
    },
    {
      name: 'in doubt, where all notes are lost, the log too',
      given: { mode: 'delete', job: { log: 'gone', lost: true } },
      expected: { applied: 'maybe', doubt: doubt('stagingLost') },
    },
    {
      name: 'in doubt, where it was throttled and may have been sent again since',
      given: { mode: 'create', job: { log: [['d', 429001]], lost: true } },
      expected: { applied: 'maybe', doubt: doubt('stagingLost'), code: 429001 },
    },
    {
      name: 'in doubt, where the hub was full and may have taken it since',
      given: { mode: 'create', job: { log: [['d', 403002]], lost: true } },
      expected: { applied: 'maybe', doubt: doubt('stagingLost'), code: 403002 },
    },
    {
      name: 'in doubt, where its twin was missing and may have been written since',
      given: { mode: 'create', job: { log: [['d', 'DeviceRegisteredWithoutTwin']], lost: true } },
      expected: { applied: 'maybe', doubt: doubt('stagingLost'), code: 'DeviceRegisteredWithoutTwin' },
    },
    {
      name: 'in doubt, where its twin had changed and it may have been merged again since',
      given: { mode: 'updateTwin', job: { log: [['d', 412001]], lost: true } },
      expected: { applied: 'maybe', doubt: doubt('stagingLost') },
    },
    {
      name: 'as a permanent error says, though all notes are lost',
      given: { mode: 'create', job: { log: [['d', 409001]], lost: true } },
      expected: { applied: 'no', code: 409001 },
    },
    {
      name: 'as a warning says that nothing is done about, though all notes are lost',
      given: { mode: 'create', job: { log: [['d', 400009]], lost: true } },
      expected: { applied: 'yes', code: 400009 },
    },
    {
      name: 'unchanged, where there was nothing to delete, though all notes are lost',
      given: { mode: 'delete', job: { log: [['d', 404001]], lost: true } },
      expected: { applied: 'no' },
    },
  ])('$name', ({ given: { mode, id = 'd', moduleId, job, second }, expected }) => {
    const line = { id, mode, ...(moduleId === undefined ? {} : { moduleId }) };
    expect(evidenceOf(line, factsOf(job, second))).toEqual({ tries: 1, ...expected });
  });
});

interface AppliedRow {
  readonly name: string;
  readonly given: { readonly mode: ImportMode; readonly job: GivenJob; readonly second?: GivenJob };
  readonly expected: boolean;
}

const met = (code: number | string): GivenJob => ({ log: [['d', code]] });

describe('whether a job may have applied a line', () => {
  test.for<AppliedRow>([
    { name: 'not one that succeeded for certain', given: { mode: 'update', job: {} }, expected: false },
    { name: 'not one that was refused', given: { mode: 'update', job: met(400004) }, expected: false },
    { name: 'not one that was throttled', given: { mode: 'update', job: met(429001) }, expected: false },
    { name: 'not one for which the hub was full', given: { mode: 'create', job: met(403002) }, expected: false },
    {
      name: 'not one that was in the way of another job',
      given: { mode: 'update', job: met(403003) },
      expected: false,
    },
    { name: 'one in which the hub failed', given: { mode: 'update', job: met(500001) }, expected: true },
    { name: 'one that met a timeout', given: { mode: 'delete', job: met('GatewayTimeout') }, expected: true },
    { name: 'one of a job that failed', given: { mode: 'update', job: { status: 'failed' } }, expected: true },
    {
      name: 'one that was throttled, in a job that failed: its own error counts',
      given: { mode: 'update', job: { ...met(429001), status: 'failed' } },
      expected: false,
    },
    {
      name: 'one in which the hub failed, whatever it met the second time',
      given: { mode: 'update', job: met(500001), second: met(429001) },
      expected: true,
    },
    {
      name: 'not one that was throttled twice',
      given: { mode: 'update', job: met(429001), second: met(429001) },
      expected: false,
    },
    {
      name: 'one that was throttled, and in which the hub failed the second time',
      given: { mode: 'update', job: met(429001), second: met(500001) },
      expected: true,
    },
    {
      name: 'one that exists when it is created the second time',
      given: { mode: 'create', job: met(429001), second: met(409001) },
      expected: true,
    },
    { name: 'not one whose twin had changed', given: { mode: 'updateTwin', job: met(412001) }, expected: false },
    {
      name: 'one whose twin had changed when it was merged the second time: perhaps by the first',
      given: { mode: 'updateTwin', job: met(500001), second: met(412001) },
      expected: true,
    },
    {
      name: 'one whose notes are lost',
      given: { mode: 'update', job: { ...met(429001), lost: true } },
      expected: true,
    },
  ])('$name', ({ given: { mode, job, second }, expected }) => {
    expect(evidenceOf({ ...DEVICE, mode }, factsOf(job, second)).applied === 'maybe').toBe(expected);
  });
});

describe('that a line gets this error when it was applied before', () => {
  test.for<{ readonly name: string; readonly given: string; readonly expected: string }>([
    { name: 'it exists', given: 'DeviceAlreadyExists', expected: 'create' },
    { name: 'the module exists', given: 'ModuleAlreadyExistsOnDevice', expected: 'create' },
    {
      name: 'another ETag',
      given: 'PreconditionFailed',
      expected: 'createOrUpdateIfMatchETag updateIfMatchETag updateTwinIfMatchETag deleteIfMatchETag',
    },
    { name: 'a value that is refused', given: 'ArgumentInvalid', expected: '' },
  ])('$name', ({ given, expected }) => {
    expect(IMPORT_MODES.filter((mode) => explainsItself(mode, given)).join(' ')).toBe(expected);
  });
});

describe('that an error proves that nothing was done', () => {
  test.for<{ readonly name: string; readonly given: number | string; readonly expected: boolean }>([
    { name: 'throttled, by name', given: 'ThrottlingException', expected: true },
    { name: 'too many requests, by number', given: 429000, expected: true },
    { name: 'too many requests, a number that nobody knows', given: 429777, expected: true },
    { name: 'a throttle of one device', given: 'DeviceThrottlingLimitExceeded', expected: true },
    { name: 'a full hub', given: 403002, expected: true },
    { name: 'another job', given: 'JobQuotaExceeded', expected: true },
    { name: 'no right, by number', given: 401003, expected: true },
    { name: 'no right, by name', given: 'IotHubUnauthorizedAccess', expected: true },
    { name: 'trouble of the hub', given: 'ServerError', expected: false },
    { name: 'a busy hub', given: 503005, expected: false },
    { name: 'silence', given: 'Timeout', expected: false },
    { name: 'a line that was cut', given: 'NetworkError', expected: false },
    { name: 'nothing there', given: 404001, expected: false },
    { name: 'a name that nobody knows', given: 'SomethingNew', expected: false },
  ])('$name', ({ given, expected }) => {
    expect(provesNothingDone(given)).toBe(expected);
  });
});

test('an error says that the identity was not there for devices and modules, and for nothing else', () => {
  const names = ['DeviceNotFound', 'ModuleNotFound', 'DeviceAlreadyExists', 'GenericNotFound', 'JobNotFound'];
  expect(names.filter(saysNotThere)).toEqual(['DeviceNotFound', 'ModuleNotFound']);
});
