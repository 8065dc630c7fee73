import { describe, expect, it } from 'vitest';

import type { ImportMode } from '../../../../src/lib/devicesFile/importMode.ts';
import type { RoundOutcome } from '../../../../src/lib/provisioning/again/roundOutcomes.ts';
import {
  type Findings,
  isRemovalDue,
  verdictOn,
  wasApplied,
} from '../../../../src/lib/provisioning/outcome/verdicts.ts';
import type { Agreement } from '../../../../src/lib/registryLines/agrees.ts';
import { createIdentityNotes } from '../../../../src/lib/registryLines/identityNotes.ts';

interface Known {
  /** The error of the job. */
  readonly job?: number | string;
  readonly doubt?: true;
  /** What was kept in the container of the run was deleted after the import had been sent. */
  readonly lost?: true;
  /** What became of it in calls. */
  readonly round?: Partial<RoundOutcome>;
  readonly read?: Agreement;
  readonly link?: string;
  /** Something had to go from its twin; the word: why it may still be there. */
  readonly removal?: string | 'gone';
}

function findings({ job, doubt, lost, round, read, link, removal }: Known): Findings {
  const failures = createIdentityNotes();
  if (job !== undefined) failures.add('d', undefined, job);
  const found = createIdentityNotes();
  if (read !== undefined) found.set('d', undefined, read);
  const outcome = round && ({ is: 'succeeded', tries: 1, isInDoubt: false, ...round } as const);
  return {
    facts: {
      first: {
        log: { failures, unattributed: 0, unattributedCodes: [] },
        doubt: doubt && { code: 'jobFailed', reason: 'The import job failed as a whole.' },
        repeated: false,
        ...(lost === undefined ? {} : { lost }),
      },
    },
    after: undefined,
    rounds: { has: () => false, find: () => outcome },
    found,
    links: { failureOf: () => link },
    removals:
      removal === undefined
        ? undefined
        : { has: () => true, failureOf: () => (removal === 'gone' ? undefined : removal) },
  };
}

const line = (mode: ImportMode) => ({ id: 'd', mode });

describe('what becomes of a line', () => {
  it.each<[string, ImportMode, Known, string, string | undefined]>([
    ['no error', 'update', {}, 'succeeded', undefined],
    ['more than asked', 'update', { doubt: true, read: 'more' }, 'failed', 'notApplied'],
    [
      'more than asked, with all notes lost',
      'update',
      { doubt: true, lost: true, read: 'more' },
      'unconfirmed',
      'jobFailed',
    ],
    [
      'something else, with all notes lost',
      'update',
      { doubt: true, lost: true, read: 'none' },
      'failed',
      'notApplied',
    ],
    ['nothing to delete', 'delete', { job: 404001 }, 'unchanged', 'DeviceNotFound'],
    ['a permanent error', 'create', { job: 409001 }, 'failed', 'DeviceAlreadyExists'],
    ['a full hub', 'create', { job: 403002 }, 'failed', 'IotHubQuotaExceeded'],
    ['a throttle to the end', 'update', { job: 429001 }, 'failed', 'ThrottlingException'],
    ['trouble to the end', 'update', { job: 500001 }, 'unconfirmed', 'hubTrouble'],
    [
      'a twin that is missing',
      'create',
      { job: 'DeviceRegisteredWithoutTwin' },
      'succeededWithWarning',
      'DeviceRegisteredWithoutTwin',
    ],
    ['a doubt that nothing settled', 'update', { doubt: true }, 'unconfirmed', 'jobFailed'],
    ['a doubt, and as asked', 'update', { doubt: true, read: 'all' }, 'succeeded', 'readBack'],
    ['a doubt, and not as asked', 'update', { doubt: true, read: 'none' }, 'failed', 'notApplied'],
    ['a doubt, and the twin alone', 'updateIfMatchETag', { doubt: true, read: 'twin' }, 'failed', 'notApplied'],
    ['a call that went well', 'update', { job: 500001, round: {} }, 'succeeded', undefined],
    [
      'a call that failed',
      'update',
      { job: 500001, round: { is: 'failed', code: 'ArgumentInvalid' } },
      'failed',
      'ArgumentInvalid',
    ],
    [
      'a call without reply',
      'update',
      { job: 429001, round: { is: 'pending', code: 'Timeout' } },
      'unconfirmed',
      'replyLost',
    ],
    [
      'a throttle in the last call',
      'update',
      { job: 429001, round: { is: 'pending', code: 'ThrottlingException' } },
      'failed',
      'ThrottlingException',
    ],
    [
      'its like, without the twin',
      'create',
      { job: 500001, round: { is: 'doubtful', code: 'DeviceAlreadyExists' }, read: 'identity' },
      'unconfirmed',
      'existsOtherwise',
    ],
    // What was merged meets a twin that has changed.
    ['a twin that has changed', 'updateTwin', { job: 412001 }, 'failed', 'twinChanged'],
    ['a changed twin, merged again', 'updateTwin', { job: 412001, round: {} }, 'succeeded', undefined],
    ['another ETag of its own', 'updateTwinIfMatchETag', { job: 412001 }, 'failed', 'PreconditionFailed'],
    // What had to go.
    ['gone', 'update', { removal: 'gone' }, 'succeeded', undefined],
    ['perhaps still there', 'update', { removal: 'keysNotRemoved' }, 'failed', 'keysNotRemoved'],
    ['perhaps still there, and why', 'update', { removal: 'DeviceNotFound' }, 'failed', 'keysNotRemoved'],
    [
      'perhaps still there, of a line that failed itself',
      'update',
      { job: 404001, removal: 'keysNotRemoved' },
      'failed',
      'DeviceNotFound',
    ],
    ['more than asked, and gone', 'update', { doubt: true, read: 'more', removal: 'gone' }, 'succeeded', 'readBack'],
    [
      'more than asked, perhaps still there',
      'update',
      { doubt: true, read: 'more', removal: 'keysNotRemoved' },
      'failed',
      'keysNotRemoved',
    ],
    ['more than asked, and nothing had to go', 'update', { doubt: true, read: 'more' }, 'failed', 'notApplied'],
    [
      'as asked, so it is gone',
      'update',
      { doubt: true, read: 'all', removal: 'keysNotRemoved' },
      'succeeded',
      'readBack',
    ],
    [
      'patched whole, so it is gone',
      'updateTwin',
      { job: 429001, round: {}, removal: 'keysNotRemoved' },
      'succeeded',
      undefined,
    ],
    ['no parent', 'update', { link: 'ParentNotFound' }, 'failed', 'ParentNotFound'],
    [
      'no parent, of a line that failed itself',
      'update',
      { job: 404001, link: 'ParentNotFound' },
      'failed',
      'DeviceNotFound',
    ],
  ])('%s, in mode %s with %j: %s %s', (_what, mode, known, outcome, code) => {
    const verdict = verdictOn(line(mode), findings(known));
    expect([verdict.outcome, verdict.code]).toEqual([outcome, code]);
  });

  it('says what was applied of a line that failed', () => {
    const { reason } = verdictOn(line('updateIfMatchETag'), findings({ doubt: true, read: 'twin' }));
    expect(reason).toMatch(/tags and desired properties are as the line asks, its identity is not/);
  });

  it('has a warning of the check with a success', () => {
    expect(verdictOn({ ...line('update'), warning: 'Mind.' }, findings({}))).toEqual({
      outcome: 'succeededWithWarning',
      code: 'checkWarning',
      reason: 'Mind.',
    });
  });
});

describe('what had to go is patched away', () => {
  it.each<[ImportMode, Known, boolean]>([
    ['update', { removal: 'keysNotRemoved' }, true],
    ['update', {}, false],
    ['update', { job: 404001, removal: 'keysNotRemoved' }, false],
    ['update', { doubt: true, removal: 'keysNotRemoved' }, false],
    ['update', { doubt: true, read: 'more', removal: 'keysNotRemoved' }, true],
    ['update', { doubt: true, read: 'all', removal: 'keysNotRemoved' }, false],
    ['update', { job: 429001, round: {}, removal: 'keysNotRemoved' }, true],
    ['create', { job: 'DeviceRegisteredWithoutTwin', removal: 'keysNotRemoved' }, false],
    ['updateTwin', { removal: 'keysNotRemoved' }, true],
    ['updateTwin', { job: 412001, round: {}, removal: 'keysNotRemoved' }, false],
    ['updateTwinIfMatchETag', { job: 429001, round: {}, removal: 'keysNotRemoved' }, true],
  ])('in mode %s with %j: %s', (mode, known, due) => {
    expect(isRemovalDue(line(mode), findings(known))).toBe(due);
  });
});

describe('a device is linked to its parent where its line was applied', () => {
  it.each<[ImportMode, Known, boolean]>([
    ['update', {}, true],
    ['update', { removal: 'keysNotRemoved' }, true],
    ['update', { link: 'ParentNotSet' }, true],
    ['update', { doubt: true, read: 'all' }, true],
    ['update', { doubt: true, read: 'more' }, false],
    ['update', { doubt: true, read: 'more', removal: 'keysNotRemoved' }, true],
    ['update', { doubt: true, read: 'more', removal: 'gone' }, true],
    ['create', { job: 'DeviceRegisteredWithoutTwin' }, true],
    ['create', { job: 409001 }, false],
  ])('in mode %s with %j: %s', (mode, known, applied) => {
    expect(wasApplied(line(mode), findings(known))).toBe(applied);
  });
});
