import { describe, expect, it } from 'vitest';

import type { ImportMode } from '../../../../src/lib/devicesFile/importMode.ts';
import {
  doubtAbout,
  explainsItself,
  type Facts,
  isFinalWord,
  mayBeApplied,
  mayBeStale,
  provesNothingDone,
  standingOf,
} from '../../../../src/lib/provisioning/evidence/standing.ts';
import { createIdentityNotes } from '../../../../src/lib/registryLines/identityNotes.ts';

type JobFacts = Facts['first'];
type Errors = Readonly<Record<string, number | string>>;

const job = { jobId: 'j', progress: 100, createdAt: '', deadline: '' };
const DOUBT = { code: 'jobFailed', reason: 'The import job failed as a whole.' };

/** What is known of a job: its errors by `device` or `device/module`; undefined: it left no log. */
function facts(errors: Errors | undefined, more: Partial<JobFacts> = {}): JobFacts {
  const failures = createIdentityNotes(1);
  for (const [key, code] of Object.entries(errors ?? {})) {
    const [id = '', moduleId] = key.split('/');
    failures.add(id, moduleId, code);
  }
  const log = errors === undefined ? undefined : { failures, unattributed: 0, unattributedCodes: [] };
  return { log, doubt: undefined, repeated: false, ...more };
}

const line = (mode: ImportMode, moduleId?: string) => ({
  id: 'd',
  mode,
  ...(moduleId === undefined ? {} : { moduleId }),
});

describe('where a line stands after one job', () => {
  it.each<[string, ImportMode, JobFacts, object]>([
    ['no error', 'create', facts({}), { is: 'succeeded' }],
    ['an error of another device', 'create', facts({ other: 409001 }), { is: 'succeeded' }],
    ['no error, which proves nothing', 'update', facts({}, { doubt: DOUBT }), { is: 'doubtful', doubt: DOUBT }],
    ['no log', 'update', facts(undefined, { doubt: DOUBT }), { is: 'doubtful', doubt: DOUBT }],
    ['a permanent error', 'create', facts({ d: 409001 }), { is: 'failed', code: 409001 }],
    [
      'a permanent error, whatever became of the job',
      'create',
      facts({ d: 400004 }, { doubt: DOUBT }),
      { is: 'failed' },
    ],
    ['a throttle', 'create', facts({ d: 429001 }), { is: 'transient', code: 429001 }],
    ['trouble of the hub', 'delete', facts({ d: 500001 }), { is: 'transient' }],
    ['a full hub', 'create', facts({ d: 403002 }), { is: 'quota' }],
    ['a twin that is missing', 'create', facts({ d: 'DeviceRegisteredWithoutTwin' }), { is: 'warned' }],
    ['a delete of nothing', 'delete', facts({ d: 404001 }), { is: 'unchanged' }],
    ['a delete of nothing, under an ETag', 'deleteIfMatchETag', facts({ d: 404001 }), { is: 'unchanged' }],
    ['an update of nothing', 'update', facts({ d: 404001 }), { is: 'failed' }],
    ['another ETag', 'updateIfMatchETag', facts({ d: 412001 }), { is: 'failed' }],
    ['another ETag of the twin', 'updateTwinIfMatchETag', facts({ d: 412001 }), { is: 'failed' }],
    // The ETag that a line which merges compares is this run's own.
    ['a twin that has changed', 'updateTwin', facts({ d: 412001 }), { is: 'stale', code: 412001, maybe: false }],
    // Given twice, a job meets what it has done itself.
    ['its like, given twice', 'create', facts({ d: 409001 }, { repeated: true }), { is: 'doubtful', code: 409001 }],
    ['another ETag, given twice', 'updateIfMatchETag', facts({ d: 412001 }, { repeated: true }), { is: 'doubtful' }],
    [
      'a changed twin, given twice',
      'updateTwin',
      facts({ d: 412001 }, { repeated: true }),
      { is: 'stale', maybe: true },
    ],
    ['nothing to delete, given twice', 'delete', facts({ d: 404001 }, { repeated: true }), { is: 'succeeded' }],
    ['a permanent error, given twice', 'update', facts({ d: 404001 }, { repeated: true }), { is: 'failed' }],
  ])('%s: %s', (_what, mode, first, standing) => {
    expect(standingOf(line(mode), { first })).toMatchObject(standing);
  });

  it.each([
    [429001, 'transient'],
    [403002, 'quota'],
    [400004, 'failed'],
  ])('a module whose device failed with %s is %s', (code, is) => {
    const first = facts({ d: code, 'd/m': 404001 });
    expect(standingOf(line('create', 'm'), { first })).toMatchObject({ is });
  });
});

describe('where a line stands after two jobs', () => {
  const first = facts({ d: 429001 });
  it.each<[string, ImportMode, JobFacts, object]>([
    ['no error', 'update', facts({}), { is: 'succeeded' }],
    ['no log', 'update', facts(undefined, { doubt: DOUBT }), { is: 'doubtful' }],
    ['its like', 'create', facts({ d: 409001 }), { is: 'doubtful', code: 409001 }],
    // The guard that it was given when it was sent again.
    ['its guard', 'update', facts({ d: 412001 }), { is: 'doubtful', code: 412001 }],
    ['its like, as a create', 'createOrUpdate', facts({ d: 409001 }), { is: 'doubtful' }],
    ['a changed twin', 'updateTwin', facts({ d: 412001 }), { is: 'stale', maybe: true }],
    ['nothing to delete', 'delete', facts({ d: 404001 }), { is: 'succeeded' }],
    ['a throttle once more', 'update', facts({ d: 429001 }), { is: 'transient' }],
  ])('%s: %s', (_what, mode, second, standing) => {
    expect(standingOf(line(mode), { first, second })).toMatchObject(standing);
  });

  it('only what failed for a passing reason was in the second', () => {
    const failed = facts({ d: 400004 });
    expect(standingOf(line('create'), { first: failed, second: facts({}) })).toMatchObject({ is: 'failed' });
    expect(standingOf(line('create'), { first: facts({}), second: failed })).toEqual({ is: 'succeeded' });
  });
});

describe('whether a line may have been applied', () => {
  it.each<[ImportMode, Errors, Errors | undefined, boolean]>([
    ['update', {}, undefined, false],
    ['update', { d: 400004 }, undefined, false],
    ['update', { d: 429001 }, undefined, false],
    ['update', { d: 500001 }, undefined, true],
    ['update', { d: 500001 }, { d: 429001 }, true],
    ['update', { d: 429001 }, { d: 429001 }, false],
    ['create', { d: 429001 }, { d: 409001 }, true],
    ['updateTwin', { d: 412001 }, undefined, false],
    ['updateTwin', { d: 500001 }, { d: 412001 }, true],
  ])('%s after %j and %j: %s', (mode, first, second, expected) => {
    const both = { first: facts(first), ...(second === undefined ? {} : { second: facts(second) }) };
    expect(mayBeApplied(line(mode), both)).toBe(expected);
  });
});

it.each<[string, JobFacts, boolean]>([
  ['no error', facts({}), true],
  ['permanent errors', facts({ d: 409001 }), true],
  ['a throttle', facts({ d: 429001 }), false],
  ['a full hub', facts({ d: 403002 }), false],
  ['a twin that is missing', facts({ d: 'DeviceRegisteredWithoutTwin' }), false],
  ['no log', facts(undefined), false],
  ['a doubt', facts({}, { doubt: DOUBT }), false],
  ['a job that was given twice', facts({}, { repeated: true }), false],
])('a job with %s is the last word: %s', (_what, first, final) => {
  expect(isFinalWord({ first })).toBe(final);
});

it('a line may have met a twin that had changed when a log names an ETag', () => {
  expect(mayBeStale({ first: facts({ d: 412001 }) })).toBe(true);
  expect(mayBeStale({ first: facts({ d: 429001 }), second: facts({ d: 412001 }) })).toBe(true);
  expect(mayBeStale({ first: facts({ d: 404001 }) })).toBe(false);
});

it.each<[ImportMode, string, boolean]>([
  ['create', 'DeviceAlreadyExists', true],
  ['create', 'ModuleAlreadyExistsOnDevice', true],
  ['createOrUpdate', 'DeviceAlreadyExists', false],
  ['updateIfMatchETag', 'PreconditionFailed', true],
  ['deleteIfMatchETag', 'PreconditionFailed', true],
  ['update', 'PreconditionFailed', false],
])('that %s gets %s when it was applied once: %s', (mode, code, explains) => {
  expect(explainsItself(mode, code)).toBe(explains);
});

it.each([
  ['ThrottlingException', true],
  [403002, true],
  [401003, true],
  ['ServerError', false],
  ['Timeout', false],
  [404001, false],
])('that %s proves that nothing was done: %s', (code, proves) => {
  expect(provesNothingDone(code)).toBe(proves);
});

it.each([
  [{ status: 'completed' }, {}, undefined],
  [{ status: 'Completed' }, {}, undefined],
  [{ status: 'cancelled' }, {}, 'jobCancelled'],
  [{ status: 'failed', failureReason: 'x' }, {}, 'jobFailed'],
  [{ status: 'running' }, {}, 'jobNotEnded'],
  [{ status: 'completed', ambiguous: true }, {}, 'jobAmbiguous'],
  [{ status: 'completed' }, undefined, 'logMissing'],
] as const)('of a job %j with log %j the doubt is %s', (fields, errors, code) => {
  expect(doubtAbout({ ...job, ...fields }, facts(errors).log)?.code).toBe(code);
});

it('errors that name nobody leave a doubt about all', () => {
  const log = { failures: createIdentityNotes(1), unattributed: 2, unattributedCodes: [500001] };
  expect(doubtAbout({ ...job, status: 'completed' }, log)).toMatchObject({ code: 'logUnclear' });
});
