import { describe, expect, test } from 'vitest';

import type { ImportMode } from '../../../../src/lib/devicesFile/importMode.ts';
import type { WaveOutcome } from '../../../../src/lib/provisioning/again/waveOutcomes.ts';
import type { WavesState } from '../../../../src/lib/provisioning/again/waves.ts';
import {
  type Findings,
  isRemovalDue,
  verdictOn,
  wasApplied,
} from '../../../../src/lib/provisioning/outcome/verdicts.ts';
import type { Agreement } from '../../../../src/lib/registryLines/agrees.ts';
import { createIdentityNotes } from '../../../../src/lib/registryLines/identityNotes.ts';
import type { Outcome } from '../../../../src/lib/runs/runRecord.ts';
import { factsOf, type GivenJob } from '../evidence/givenFacts.ts';

interface Known {
  readonly mode: ImportMode;
  readonly id?: string;
  readonly moduleId?: string;
  /** What the check warned of. */
  readonly warning?: string;
  readonly job?: GivenJob;
  readonly second?: GivenJob;
  /** What became of it in calls. */
  readonly wave?: Partial<WaveOutcome>;
  /** The registry was read. */
  readonly read?: Agreement;
  /** Why its device has not got its parent. */
  readonly link?: string;
  /** Something had to go from its twin: `gone`, or why it may still be there. */
  readonly removal?: string | 'gone';
}

function lineOf({ mode, id = 'd', moduleId, warning }: Known) {
  return {
    id,
    mode,
    ...(moduleId === undefined ? {} : { moduleId }),
    ...(warning === undefined ? {} : { warning }),
  };
}

function findings(known: Known): Findings {
  const { id = 'd', moduleId, job = {}, second, wave, read, link, removal } = known;
  const found = createIdentityNotes();
  if (read !== undefined) found.set(id, moduleId, read);
  const outcome = wave && ({ is: 'succeeded', tries: 1, ...wave } as const);
  const after: WavesState = {
    retryUntil: '',
    waves: [],
    ...(second === undefined ? {} : { secondJob: { blobName: '', lines: 1, state: 'ended' } }),
  };
  return {
    facts: factsOf(job, second),
    after,
    waves: { has: () => false, find: () => outcome },
    found,
    links: { failureOf: () => link },
    removals:
      removal === undefined
        ? undefined
        : { has: () => true, failureOf: () => (removal === 'gone' ? undefined : removal) },
  };
}

const met = (code: number | string): GivenJob => ({ log: [['d', code]] });
const LOST: GivenJob = { lost: true };
const FAILED: GivenJob = { status: 'failed' };

interface VerdictRow {
  readonly name: string;
  readonly given: Known;
  readonly expected: {
    readonly outcome: Outcome;
    readonly code?: string;
    readonly tries?: number;
    /** What the reason tells, too. */
    readonly says?: string;
  };
}

function judge({ given, expected: { says, ...expected } }: VerdictRow): void {
  const { outcome, code, tries, reason = '', action } = verdictOn(lineOf(given), findings(given));
  const found = { outcome, ...(code === undefined ? {} : { code }), ...(tries === undefined ? {} : { tries }) };
  expect(found).toEqual(expected);
  if (says !== undefined) expect(reason).toContain(says);
  // Who has to look at a line is told why, and what to do.
  if (outcome === 'failed' || outcome === 'unconfirmed') {
    expect(reason).toMatch(/\.$/);
    expect(action).toMatch(/\.$/);
  }
}

describe('by the import job alone, a line', () => {
  test.for<VerdictRow>([
    { name: 'succeeded without an error', given: { mode: 'update' }, expected: { outcome: 'succeeded' } },
    {
      name: 'succeeded with what the check warned of',
      given: { mode: 'update', warning: 'Mind.' },
      expected: { outcome: 'succeededWithWarning', code: 'checkWarning', says: 'Mind.' },
    },
    {
      name: 'is unchanged when there was nothing to delete',
      given: { mode: 'delete', job: met(404001) },
      expected: { outcome: 'unchanged', code: 'DeviceNotFound' },
    },
    {
      name: 'is unchanged when there was no such device, under an ETag and with a warning',
      given: { mode: 'deleteIfMatchETag', warning: 'Mind.', job: met('DeviceNotFound') },
      expected: { outcome: 'unchanged', code: 'DeviceNotFound' },
    },
    {
      name: 'is unchanged when there was no module to delete, nor its device',
      given: { mode: 'delete', moduleId: 'm', job: { log: [['d/m', 404001]] } },
      expected: { outcome: 'unchanged', code: 'ModuleNotFound' },
    },
    {
      name: 'failed for a permanent error',
      given: { mode: 'create', job: met(409001) },
      expected: { outcome: 'failed', code: 'DeviceAlreadyExists' },
    },
    {
      name: 'failed for an ETag of its own',
      given: { mode: 'updateTwinIfMatchETag', job: met(412001) },
      expected: { outcome: 'failed', code: 'PreconditionFailed' },
    },
    {
      name: 'failed for an error that nobody knows',
      given: { mode: 'update', job: met('SomethingNew') },
      expected: { outcome: 'failed', code: 'SomethingNew' },
    },
    {
      name: 'failed for one that may quote anything, which is not repeated',
      given: { mode: 'update', job: met('{"primaryKey":"c2VjcmV0"}') },
      expected: { outcome: 'failed', code: 'Unknown' },
    },
    {
      name: 'failed when the hub was full to the end',
      given: { mode: 'create', job: met(403002) },
      expected: { outcome: 'failed', code: 'IotHubQuotaExceeded' },
    },
    {
      name: 'failed when it was throttled to the end: nothing was done',
      given: { mode: 'update', job: met(429001) },
      expected: { outcome: 'failed', code: 'ThrottlingException' },
    },
    {
      name: 'is unconfirmed when the hub had trouble to the end: that proves nothing',
      given: { mode: 'update', job: met(500001) },
      expected: { outcome: 'unconfirmed', code: 'hubTrouble' },
    },
    {
      name: 'succeeded with a warning when its twin is missing',
      given: { mode: 'create', job: met('DeviceRegisteredWithoutTwin') },
      expected: { outcome: 'succeededWithWarning', code: 'DeviceRegisteredWithoutTwin' },
    },
    {
      name: 'succeeded with a warning of the hub',
      given: { mode: 'update', job: met(400009) },
      expected: { outcome: 'succeededWithWarning', code: 'ImportWarningExistsError' },
    },
    {
      name: 'failed when the twin that it was merged into has changed',
      given: { mode: 'updateTwin', job: met(412001) },
      expected: { outcome: 'failed', code: 'twinChanged', says: 'Nothing of the line was applied' },
    },
    {
      name: 'is unconfirmed when that twin may have been changed by itself',
      given: { mode: 'updateTwin', job: met(500001), second: met(412001) },
      expected: { outcome: 'unconfirmed', code: 'hubTrouble' },
    },
    {
      name: 'failed, under an id of any alphabet',
      given: { mode: 'create', id: 'größe-泵-😀', job: { log: [['größe-泵-😀', 409001]] } },
      expected: { outcome: 'failed', code: 'DeviceAlreadyExists' },
    },
    {
      name: 'succeeded, where an id failed that differs in case alone',
      given: { mode: 'create', id: 'PUMP', job: { log: [['pump', 409001]] } },
      expected: { outcome: 'succeeded' },
    },
  ])('$name', (row) => judge(row));
});

describe('in doubt, and with a registry that cannot be read, a line is unconfirmed', () => {
  test.for<VerdictRow>([
    {
      name: 'when the job was cancelled',
      given: { mode: 'update', job: { status: 'cancelled' } },
      expected: { outcome: 'unconfirmed', code: 'jobCancelled' },
    },
    {
      name: 'when the job failed, and why',
      given: { mode: 'update', job: { status: 'failed', failureReason: 'no such blob' } },
      expected: { outcome: 'unconfirmed', code: 'jobFailed', says: 'no such blob' },
    },
    {
      name: 'when the job did not end',
      given: { mode: 'update', job: { status: 'running' } },
      expected: { outcome: 'unconfirmed', code: 'jobNotEnded' },
    },
    {
      name: 'when the job may be another',
      given: { mode: 'update', job: { ambiguous: true } },
      expected: { outcome: 'unconfirmed', code: 'jobAmbiguous' },
    },
    {
      name: 'when the job left no log',
      given: { mode: 'update', job: { log: 'gone' } },
      expected: { outcome: 'unconfirmed', code: 'logMissing' },
    },
    {
      name: 'when the log names nobody',
      given: { mode: 'update', job: { unnamed: [400012] } },
      expected: { outcome: 'unconfirmed', code: 'logUnclear' },
    },
    {
      name: 'when all notes are lost',
      given: { mode: 'update', job: LOST },
      expected: { outcome: 'unconfirmed', code: 'stagingLost', says: 'Whether this line was applied is unknown' },
    },
    {
      name: 'when all notes are lost, and it was throttled in the job',
      given: { mode: 'update', job: { ...met(429001), ...LOST } },
      expected: { outcome: 'unconfirmed', code: 'stagingLost' },
    },
    {
      name: 'when all notes are lost, and its twin had changed: it may have been merged since',
      given: { mode: 'updateTwin', job: { ...met(412001), ...LOST } },
      expected: { outcome: 'unconfirmed', code: 'stagingLost' },
    },
    {
      name: 'when it exists, after the job may have been given twice',
      given: { mode: 'create', job: { ...met(409001), ambiguous: true } },
      expected: { outcome: 'unconfirmed', code: 'sentTwice' },
    },
    {
      name: 'when it exists, after a second job',
      given: { mode: 'create', job: met(500001), second: met(409001) },
      expected: { outcome: 'unconfirmed', code: 'sentTwice' },
    },
    {
      name: 'when the guard of a second job has caught it',
      given: { mode: 'update', job: met(500001), second: met(412001) },
      expected: { outcome: 'unconfirmed', code: 'sentTwice' },
    },
  ])('$name', (row) => judge(row));

  test.for<VerdictRow>([
    {
      name: 'but a permanent error counts, whatever became of the job',
      given: { mode: 'create', job: { ...met(400004), ...FAILED } },
      expected: { outcome: 'failed', code: 'ArgumentInvalid' },
    },
    {
      name: 'and also when all notes are lost',
      given: { mode: 'create', job: { ...met(409001), ...LOST } },
      expected: { outcome: 'failed', code: 'DeviceAlreadyExists' },
    },
    {
      name: 'a delete that finds nothing after a second job has done its work',
      given: { mode: 'delete', job: met(500001), second: met(404001) },
      expected: { outcome: 'succeeded' },
    },
  ])('$name', (row) => judge(row));
});

describe('by the registry that was read, a line', () => {
  test.for<VerdictRow>([
    {
      name: 'succeeded when it is as asked',
      given: { mode: 'update', job: FAILED, read: 'all' },
      expected: { outcome: 'succeeded', code: 'readBack' },
    },
    {
      name: 'succeeded when what was to be deleted is not there',
      given: { mode: 'delete', job: { status: 'cancelled' }, read: 'all' },
      expected: { outcome: 'succeeded', code: 'readBack' },
    },
    {
      name: 'succeeded with what the check warned of',
      given: { mode: 'update', warning: 'Mind.', job: FAILED, read: 'all' },
      expected: { outcome: 'succeededWithWarning', code: 'checkWarning', says: 'Mind. Verified in the registry' },
    },
    {
      name: 'succeeded when it exists as asked, for this run may have made it',
      given: { mode: 'create', job: met(500001), second: met(409001), read: 'all' },
      expected: { outcome: 'succeeded', code: 'readBack' },
    },
    {
      name: 'succeeded when all notes are lost and it is as asked, whatever it met',
      given: { mode: 'updateTwin', job: { ...met(412001), ...LOST }, read: 'all' },
      expected: { outcome: 'succeeded', code: 'readBack' },
    },
    {
      name: 'failed when it is not as asked',
      given: { mode: 'update', job: FAILED, read: 'none' },
      expected: { outcome: 'failed', code: 'notApplied' },
    },
    {
      name: 'failed when what was to be deleted is still there',
      given: { mode: 'delete', job: { log: 'gone' }, read: 'none' },
      expected: { outcome: 'failed', code: 'notApplied', says: 'left no error log' },
    },
    {
      name: 'failed when there is more than asked, and nothing had to go',
      given: { mode: 'update', job: FAILED, read: 'more' },
      expected: { outcome: 'failed', code: 'notApplied' },
    },
    {
      name: 'failed when it has an identity as asked, and an empty twin',
      given: { mode: 'update', job: FAILED, read: 'identity' },
      expected: { outcome: 'failed', code: 'notApplied' },
    },
    {
      name: 'failed when its twin alone is as asked, and says so',
      given: { mode: 'updateIfMatchETag', job: FAILED, read: 'twin' },
      expected: {
        outcome: 'failed',
        code: 'notApplied',
        says: 'tags and desired properties are as the line asks, its identity is not',
      },
    },
    {
      name: 'failed for its error, and with what was applied of it',
      given: { mode: 'updateIfMatchETag', job: met(500001), second: met(412001), read: 'twin' },
      expected: {
        outcome: 'failed',
        code: 'PreconditionFailed',
        says: 'tags and desired properties are as the line asks',
      },
    },
    {
      name: 'failed as it exists, otherwise than asked: it is not of this run',
      given: { mode: 'create', job: met(500001), second: met(409001), read: 'none' },
      expected: { outcome: 'failed', code: 'DeviceAlreadyExists' },
    },
    {
      name: 'is unconfirmed when it exists without its twin: this run may have made it',
      given: { mode: 'create', job: met(500001), second: met(409001), read: 'identity' },
      expected: { outcome: 'unconfirmed', code: 'existsOtherwise' },
    },
    {
      name: 'is unconfirmed so, too, when it was sent again as a create',
      given: { mode: 'createOrUpdate', job: met(500001), second: met(409001), read: 'identity' },
      expected: { outcome: 'unconfirmed', code: 'existsOtherwise' },
    },
    {
      name: 'failed when it never creates, and exists without its twin',
      given: { mode: 'update', job: met(500001), second: met(412001), read: 'identity' },
      expected: { outcome: 'failed', code: 'PreconditionFailed' },
    },
    {
      name: 'failed when it never creates, even if the hub says that it exists, and it exists without its twin',
      given: { mode: 'update', job: { ...met(409001), ambiguous: true }, read: 'identity' },
      expected: { outcome: 'failed', code: 'DeviceAlreadyExists' },
    },
    {
      name: 'failed when nothing of a merge is there after a twin that had changed',
      given: { mode: 'updateTwin', job: met(500001), second: met(412001), read: 'none' },
      expected: { outcome: 'failed', code: 'twinChanged' },
    },
    {
      name: 'failed when all notes are lost, and it is not as asked',
      given: { mode: 'update', job: LOST, read: 'none' },
      expected: { outcome: 'failed', code: 'notApplied' },
    },
    {
      name: 'failed for its error when all notes are lost, and it is not as asked',
      given: { mode: 'update', job: { ...met(429001), ...LOST }, read: 'none' },
      expected: { outcome: 'failed', code: 'ThrottlingException' },
    },
    {
      name: 'failed when all notes are lost, and a merge is not as asked: nobody knows whether its twin was changed again',
      given: { mode: 'updateTwin', job: { ...met(412001), ...LOST }, read: 'none' },
      expected: { outcome: 'failed', code: 'notApplied' },
    },
    {
      name: 'is unconfirmed when all notes are lost, and there is more than asked: what had to go is lost, too',
      given: { mode: 'update', job: LOST, read: 'more' },
      expected: { outcome: 'unconfirmed', code: 'stagingLost', says: 'more in the same section of the twin' },
    },
    {
      name: 'of a module is told apart from its device',
      given: { mode: 'update', moduleId: 'm', job: FAILED, read: 'all' },
      expected: { outcome: 'succeeded', code: 'readBack' },
    },
  ])('$name', (row) => judge(row));
});

describe('by the calls that sent it again, a line', () => {
  test.for<VerdictRow>([
    {
      name: 'succeeded, and says how often it was sent',
      given: { mode: 'update', job: met(500001), wave: { tries: 2 } },
      expected: { outcome: 'succeeded', tries: 3 },
    },
    {
      name: 'succeeded after two jobs',
      given: { mode: 'update', job: met(500001), second: met(500001), wave: { tries: 2 } },
      expected: { outcome: 'succeeded', tries: 4 },
    },
    {
      name: 'succeeded with what the check warned of',
      given: { mode: 'update', warning: 'Mind.', job: met(429001), wave: {} },
      expected: { outcome: 'succeededWithWarning', code: 'checkWarning', tries: 2 },
    },
    {
      name: 'succeeded when it was merged again',
      given: { mode: 'updateTwin', job: met(412001), wave: {} },
      expected: { outcome: 'succeeded', tries: 2 },
    },
    {
      name: 'succeeded when its twin was written once more',
      given: { mode: 'create', job: met('DeviceRegisteredWithoutTwin'), wave: {} },
      expected: { outcome: 'succeeded', tries: 2 },
    },
    {
      name: 'succeeded with a warning when its twin alone was refused',
      given: {
        mode: 'create',
        job: met('DeviceRegisteredWithoutTwin'),
        wave: { is: 'warned', code: 'ArgumentInvalid' },
      },
      expected: { outcome: 'succeededWithWarning', code: 'ArgumentInvalid', tries: 2 },
    },
    {
      name: 'succeeded with a warning when its twin is missing, and there was no time to write it',
      given: {
        mode: 'create',
        job: met(429001),
        wave: { is: 'pending', code: 'DeviceRegisteredWithoutTwin' },
      },
      expected: { outcome: 'succeededWithWarning', code: 'DeviceRegisteredWithoutTwin', tries: 2 },
    },
    {
      name: 'failed',
      given: { mode: 'update', job: met(403002), wave: { is: 'failed', code: 'ArgumentInvalid' } },
      expected: { outcome: 'failed', code: 'ArgumentInvalid', tries: 2 },
    },
    {
      name: 'failed when the hub was full one by one, too',
      given: { mode: 'create', job: met(403002), wave: { is: 'failed', code: 'IotHubQuotaExceeded' } },
      expected: { outcome: 'failed', code: 'IotHubQuotaExceeded', tries: 2 },
    },
    {
      name: 'failed when the hub was full in a call, and there was no time to go one by one',
      given: { mode: 'create', job: met(429001), wave: { is: 'quota', code: 'IotHubQuotaExceeded' } },
      expected: { outcome: 'failed', code: 'IotHubQuotaExceeded', tries: 2 },
    },
    {
      name: 'failed when it was throttled in job and calls',
      given: { mode: 'update', job: met(429001), wave: { is: 'pending', code: 'ThrottlingException' } },
      expected: { outcome: 'failed', code: 'ThrottlingException', tries: 2 },
    },
    {
      name: 'failed when the key of the app was refused to the end',
      given: { mode: 'update', job: met(429001), wave: { is: 'pending', code: 'IotHubUnauthorized' } },
      expected: { outcome: 'failed', code: 'IotHubUnauthorized', tries: 2 },
    },
    {
      name: 'is unconfirmed when it was throttled at last, and a call before that may have applied it',
      given: {
        mode: 'update',
        job: met(429001),
        wave: { is: 'pending', code: 'ThrottlingException', maybe: true },
      },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'is unconfirmed when it was throttled at last, and the job may have applied it',
      given: { mode: 'update', job: met(500001), wave: { is: 'pending', code: 'ThrottlingException' } },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'is unconfirmed when the hub had trouble at last',
      given: { mode: 'update', job: met(429001), wave: { is: 'pending', code: 'ServerBusy' } },
      expected: { outcome: 'unconfirmed', code: 'hubTrouble', tries: 2 },
    },
    {
      name: 'is unconfirmed when the call was not answered',
      given: { mode: 'update', job: met(429001), wave: { is: 'pending', code: 'Timeout' } },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'is unconfirmed when the line to the hub was cut',
      given: { mode: 'update', job: met(429001), wave: { is: 'pending', code: 'NetworkError' } },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'is unconfirmed when the reply cannot be read',
      given: { mode: 'update', job: met(429001), wave: { is: 'pending', code: 'InvalidReply' } },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'is unconfirmed when the reply named nobody, and it was not sent alone any more',
      given: { mode: 'update', job: met(429001), wave: { is: 'pending' } },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'is unconfirmed when its call was under way at the end',
      given: { mode: 'update', job: met(429001), wave: { is: 'sent' } },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'is unconfirmed when its error proves nothing',
      given: {
        mode: 'create',
        job: met(500001),
        wave: { is: 'doubtful', code: 'DeviceAlreadyExists' },
      },
      expected: { outcome: 'unconfirmed', code: 'replyLost', tries: 2 },
    },
    {
      name: 'failed when its error proves nothing, and the registry is not as asked',
      given: {
        mode: 'create',
        job: met(500001),
        wave: { is: 'doubtful', code: 'DeviceAlreadyExists' },
        read: 'none',
      },
      expected: { outcome: 'failed', code: 'DeviceAlreadyExists', tries: 2 },
    },
    {
      name: 'succeeded when its error proves nothing, and the registry is as asked',
      given: {
        mode: 'create',
        job: met(500001),
        wave: { is: 'doubtful', code: 'DeviceAlreadyExists' },
        read: 'all',
      },
      expected: { outcome: 'succeeded', code: 'readBack', tries: 2 },
    },
    {
      name: 'is unconfirmed when it exists without its twin',
      given: {
        mode: 'create',
        job: met(500001),
        wave: { is: 'doubtful', code: 'DeviceAlreadyExists' },
        read: 'identity',
      },
      expected: { outcome: 'unconfirmed', code: 'existsOtherwise' },
    },
    {
      name: 'succeeded with a warning when the hub has made it, and the registry has no twin of it',
      given: {
        mode: 'create',
        job: met(429001),
        wave: { is: 'pending', code: 'DeviceRegisteredWithoutTwin' },
        read: 'identity',
      },
      expected: { outcome: 'succeededWithWarning', code: 'DeviceRegisteredWithoutTwin', tries: 2 },
    },
    {
      name: 'failed when a line that creates is not known to the hub, which is no reason to create it first',
      given: {
        mode: 'create',
        job: met(500001),
        wave: { is: 'doubtful', code: 'DeviceNotFound' },
        read: 'none',
      },
      expected: { outcome: 'failed', code: 'DeviceNotFound', tries: 2, says: 'although the line creates it' },
    },
  ])('$name', (row) => judge(row));
});

describe('with something that had to go from its twin, a line', () => {
  const removal = 'keysNotRemoved';
  test.for<VerdictRow>([
    {
      name: 'succeeded once it has gone',
      given: { mode: 'update', removal: 'gone' },
      expected: { outcome: 'succeeded' },
    },
    {
      name: 'failed while it may still be there',
      given: { mode: 'update', removal },
      expected: { outcome: 'failed', code: 'keysNotRemoved', says: 'The line was applied' },
    },
    {
      name: 'failed while it may still be there, and says why',
      given: { mode: 'updateTwin', removal: 'DeviceNotFound' },
      expected: { outcome: 'failed', code: 'keysNotRemoved', says: 'There is no device with this id.' },
    },
    {
      name: 'failed for it, whatever the check warned of',
      given: { mode: 'update', warning: 'Mind.', removal },
      expected: { outcome: 'failed', code: 'keysNotRemoved' },
    },
    {
      name: 'failed for an error of its own first',
      given: { mode: 'update', job: met(404001), removal },
      expected: { outcome: 'failed', code: 'DeviceNotFound' },
    },
    {
      name: 'succeeded when there is more than asked, and that has gone since',
      given: { mode: 'update', job: FAILED, read: 'more', removal: 'gone' },
      expected: { outcome: 'succeeded', code: 'readBack' },
    },
    {
      name: 'failed when there is more than asked, and may still be',
      given: { mode: 'update', job: FAILED, read: 'more', removal },
      expected: { outcome: 'failed', code: 'keysNotRemoved' },
    },
    {
      name: 'succeeded when it is as asked: then it is gone',
      given: { mode: 'update', job: FAILED, read: 'all', removal },
      expected: { outcome: 'succeeded', code: 'readBack' },
    },
    {
      name: 'succeeded when it was patched whole: then it is gone',
      given: { mode: 'updateTwin', job: met(429001), wave: {}, removal },
      expected: { outcome: 'succeeded', tries: 2 },
    },
    {
      name: 'failed when it was sent again whole, for that takes nothing away',
      given: { mode: 'update', job: met(429001), wave: {}, removal },
      expected: { outcome: 'failed', code: 'keysNotRemoved' },
    },
    {
      name: 'succeeded with a warning when it has no twin at all',
      given: { mode: 'createOrUpdate', job: met('DeviceRegisteredWithoutTwin'), removal },
      expected: { outcome: 'succeededWithWarning', code: 'DeviceRegisteredWithoutTwin' },
    },
  ])('$name', (row) => judge(row));
});

describe('with a parent that its device has not got, a line', () => {
  test.for<VerdictRow>([
    ...(['ParentNotFound', 'ParentNotEdge', 'ParentCycle', 'ParentTooDeep', 'ParentNotSet'] as const).map((link) => ({
      name: `failed with ${link}`,
      given: { mode: 'update', link } as const,
      expected: {
        outcome: 'failed',
        code: link,
        says: 'The device is as the line asks, except for its parent',
      } as const,
    })),
    {
      name: 'failed with what the hub said of the link',
      given: { mode: 'create', link: 'InvalidDeviceScope' },
      expected: { outcome: 'failed', code: 'InvalidDeviceScope', says: 'except for its parent' },
    },
    {
      name: 'failed for an error of its own first',
      given: { mode: 'update', job: met(404001), link: 'ParentNotFound' },
      expected: { outcome: 'failed', code: 'DeviceNotFound' },
    },
    {
      name: 'failed for what may still be in its twin first',
      given: { mode: 'update', removal: 'keysNotRemoved', link: 'ParentNotFound' },
      expected: { outcome: 'failed', code: 'keysNotRemoved' },
    },
    {
      name: 'of a module has nothing to do with it',
      given: { mode: 'update', moduleId: 'm', link: 'ParentNotFound' },
      expected: { outcome: 'succeeded' },
    },
    {
      name: 'stays unconfirmed',
      given: { mode: 'update', job: FAILED, link: 'ParentNotSet' },
      expected: { outcome: 'unconfirmed', code: 'jobFailed' },
    },
  ])('$name', (row) => judge(row));
});

interface WhetherRow {
  readonly name: string;
  readonly given: Known;
  readonly expected: boolean;
}

describe('what had to go is patched away', () => {
  const removal = 'keysNotRemoved';
  test.for<WhetherRow>([
    { name: 'where the line was applied', given: { mode: 'update', removal }, expected: true },
    { name: 'where a merge was applied', given: { mode: 'updateTwin', removal }, expected: true },
    { name: 'not where nothing had to go', given: { mode: 'update' }, expected: false },
    { name: 'not where the line failed', given: { mode: 'update', job: met(404001), removal }, expected: false },
    { name: 'not where nobody knows', given: { mode: 'update', job: FAILED, removal }, expected: false },
    {
      name: 'where the registry has all that was asked, and more',
      given: { mode: 'update', job: FAILED, read: 'more', removal },
      expected: true,
    },
    {
      name: 'not where the registry is as asked',
      given: { mode: 'update', job: FAILED, read: 'all', removal },
      expected: false,
    },
    {
      name: 'where a call has applied the line',
      given: { mode: 'update', job: met(429001), wave: {}, removal },
      expected: true,
    },
    {
      name: 'where a call has applied a merge under an ETag of its own',
      given: { mode: 'updateTwinIfMatchETag', job: met(429001), wave: {}, removal },
      expected: true,
    },
    {
      name: 'not where a patch has applied the whole line',
      given: { mode: 'updateTwin', job: met(412001), wave: {}, removal },
      expected: false,
    },
    {
      name: 'not where there is no twin',
      given: { mode: 'create', job: met('DeviceRegisteredWithoutTwin'), removal },
      expected: false,
    },
  ])('$name', ({ given, expected }) => {
    expect(isRemovalDue(lineOf(given), findings(given))).toBe(expected);
  });
});

describe('a device is linked to its parent', () => {
  const removal = 'keysNotRemoved';
  test.for<WhetherRow>([
    { name: 'where its line was applied', given: { mode: 'update' }, expected: true },
    { name: 'where something may still be in its twin', given: { mode: 'update', removal }, expected: true },
    {
      name: 'once more, where it could not be linked',
      given: { mode: 'update', link: 'ParentNotSet' },
      expected: true,
    },
    { name: 'where the registry is as asked', given: { mode: 'update', job: FAILED, read: 'all' }, expected: true },
    {
      name: 'not where there is more than asked',
      given: { mode: 'update', job: FAILED, read: 'more' },
      expected: false,
    },
    {
      name: 'where there is more than asked, which had to go',
      given: { mode: 'update', job: FAILED, read: 'more', removal },
      expected: true,
    },
    {
      name: 'where there is more than asked, which has gone since',
      given: { mode: 'update', job: FAILED, read: 'more', removal: 'gone' },
      expected: true,
    },
    {
      name: 'where it was made without its twin',
      given: { mode: 'create', job: met('DeviceRegisteredWithoutTwin') },
      expected: true,
    },
    { name: 'not where its line failed', given: { mode: 'create', job: met(409001) }, expected: false },
    { name: 'not where nobody knows', given: { mode: 'create', job: FAILED }, expected: false },
  ])('$name', ({ given, expected }) => {
    expect(wasApplied(lineOf(given), findings(given))).toBe(expected);
  });
});
