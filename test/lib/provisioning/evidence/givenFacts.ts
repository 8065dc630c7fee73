/** What import jobs left behind, as the row of a table gives it. */

import type { ErrorLog } from '../../../../src/lib/hubJobs/errorLog.ts';
import type { Facts } from '../../../../src/lib/provisioning/evidence/evidence.ts';
import { doubtAbout } from '../../../../src/lib/provisioning/evidence/jobFacts.ts';
import { createIdentityNotes } from '../../../../src/lib/registryLines/identityNotes.ts';

export interface GivenJob {
  /** Its error lines: `device` or `device/module`, and the code. Default: none. `gone`: it left no log. */
  readonly log?: readonly (readonly [identity: string, code: number | string])[] | 'gone';
  /** Codes of error lines that name nobody. */
  readonly unnamed?: readonly (number | string)[];
  /** Default: completed. */
  readonly status?: string;
  readonly failureReason?: string;
  /** One of several jobs that could be the run's: its lines may have been given twice. */
  readonly ambiguous?: true;
  /** What the run noted of its lines since was deleted. */
  readonly lost?: true;
}

export function logOf({ log = [], unnamed = [] }: GivenJob): ErrorLog | undefined {
  if (log === 'gone') return undefined;
  const failures = createIdentityNotes();
  for (const [identity, code] of log) {
    const [id = '', moduleId] = identity.split('/');
    failures.add(id, moduleId, code);
  }
  return { failures, unattributed: unnamed.length, unattributedCodes: unnamed };
}

export function jobOf({ status = 'completed', ambiguous, failureReason }: GivenJob) {
  return {
    jobId: 'j',
    status,
    progress: 100,
    createdAt: '',
    deadline: '',
    ...(ambiguous && { ambiguous }),
    ...(failureReason !== undefined && { failureReason }),
  };
}

const LOST = { code: 'stagingLost', reason: 'What the run had noted of its lines was deleted while it ran.' };

export function jobFacts(given: GivenJob): Facts['first'] {
  const log = logOf(given);
  const repeated = given.ambiguous === true;
  if (given.lost) return { log, repeated, doubt: LOST, lost: true };
  return { log, repeated, doubt: doubtAbout(jobOf(given), log) };
}

/** @param second the job that was given what had failed transiently in the first, if there was one */
export function factsOf(first: GivenJob, second?: GivenJob): Facts {
  return { first: jobFacts(first), ...(second === undefined ? {} : { second: jobFacts(second) }) };
}
