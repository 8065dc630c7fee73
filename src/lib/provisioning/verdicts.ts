/** What becomes of each line that was given to the hub, out of everything that its run found out. */

import { randomInt } from 'node:crypto';

import { explainHubError } from '../registry/index.ts';
import type { ProvisioningContext } from './context.ts';
import { createIdentityNotes, type IdentityNotes } from './identityNotes.ts';
import { explainMissing } from './missingAfterCreate.ts';
import { explainLinkFailure, type LinkOutcomes, readLinkOutcomes } from './parentLinks.ts';
import type { Verdict } from './report.ts';
import { type RoundOutcome, type RoundOutcomes, readRoundOutcomes } from './roundOutcomes.ts';
import { type RoundsState, readRounds } from './rounds.ts';
import type { RunRecord } from './runRecord.ts';
import { ROUNDS_BLOB } from './staging.ts';
import { StagingLost } from './stagingLost.ts';
import {
  type Doubt,
  explainsItself,
  type Facts,
  type LineOf,
  mayBeApplied,
  provesNothingDone,
  readFacts,
  standingOf,
  WITHOUT_TWIN,
} from './standing.ts';
import { readFound } from './verification.ts';

export interface Findings {
  readonly facts: Facts;
  /** What was done after the import job; undefined when nothing was to be done. */
  readonly after: RoundsState | undefined;
  readonly rounds: RoundOutcomes;
  /** Of lines that were read back: an `Agreement`. */
  readonly found: IdentityNotes;
  /** What became of the links of devices to their parents; undefined: it does not matter. */
  readonly links: LinkOutcomes | undefined;
}

export async function readFindings(context: ProvisioningContext, record: RunRecord): Promise<Findings> {
  const after = (await readRounds(context, record))?.value;
  if (after === undefined && record.roundsOpened) throw new StagingLost(record.runId, ROUNDS_BLOB);
  const found = createIdentityNotes(randomInt(2 ** 31));
  const blobName = after?.verification?.foundBlobName;
  if (blobName !== undefined) {
    for await (const { id, moduleId, agreement } of readFound(context, record, blobName)) {
      found.set(id, moduleId, agreement);
    }
  }
  return {
    facts: await readFacts(context, record, after),
    after,
    rounds: await readRoundOutcomes(context, record, after?.rounds ?? []),
    found,
    links: after === undefined ? undefined : await readLinkOutcomes(context, record, after),
  };
}

/** @param warning what the check warned of in this line */
export function verdictOn(line: LineOf & { readonly warning?: string }, findings: Findings): Verdict {
  const verdict = explainMissing(line, verdictOnIdentity(line, findings));
  const failure = linkFailureOf(line, findings);
  if (failure === undefined || (verdict.outcome !== 'succeeded' && verdict.outcome !== 'succeededWithWarning')) {
    return verdict;
  }
  return { outcome: 'failed', ...explainLinkFailure(failure) };
}

/** Why the device of a line was not linked to its parent, if it was not. */
export function linkFailureOf(line: Pick<LineOf, 'id' | 'moduleId'>, { links }: Findings): string | undefined {
  return line.moduleId === undefined ? links?.failureOf(line.id) : undefined;
}

function verdictOnIdentity(line: LineOf & { readonly warning?: string }, findings: Findings): Verdict {
  const round = findings.rounds.find(line);
  const standing = standingOf(line, findings.facts);
  const doubt = standing.is === 'doubtful' ? standing.doubt : undefined;
  const code = round?.code ?? ('code' in standing ? standing.code : undefined);
  const tries = triesOf(round, findings);

  const read = findings.found.find(line.id, line.moduleId);
  if (read === 'all') {
    return line.warning === undefined
      ? { outcome: 'succeeded', code: 'readBack', reason: READ_BACK, ...tries }
      : { outcome: 'succeededWithWarning', code: 'checkWarning', reason: `${line.warning} ${READ_BACK}`, ...tries };
  }
  if (read !== undefined) {
    // Made by this run and left without its twin, or somebody else's: nothing tells them apart.
    if (read === 'identity' && mayCreate(line) && code !== undefined && explainsItself('create', nameOf(code))) {
      return unconfirmed(EXISTS_OTHERWISE, '');
    }
    if (code === undefined) return notApplied(doubt ?? LOST);
    // The hub has said that the identity is there; what it lacks is its twin.
    return { ...(explainHubError(code).name === WITHOUT_TWIN ? warned(code) : failed(code)), ...tries };
  }
  if (round !== undefined) return { ...afterRound(line, round, mayBeApplied(line, findings.facts)), ...tries };
  switch (standing.is) {
    case 'succeeded':
      return success(line);
    case 'unchanged':
      return {
        outcome: 'unchanged',
        code: explainHubError(line.moduleId === undefined ? 404001 : 404010).name,
        reason: 'It was not in the registry: there was nothing to delete.',
      };
    case 'warned':
      return warned(standing.code);
    case 'doubtful':
      return unconfirmed(standing.doubt);
    case 'transient':
      // An error such as a timeout says nothing of whether the line was applied, and the registry could not be read back.
      if (mayBeApplied(line, findings.facts)) return unconfirmed(HUB_TROUBLE);
      return { ...failed(standing.code), ...tries };
    case 'failed':
    case 'quota':
      return { ...failed(standing.code), ...tries };
    default: {
      const never: never = standing;
      throw new Error(`unknown standing ${JSON.stringify(never)}`);
    }
  }
}

const READ_BACK = 'The registry was read afterwards: it is as the line asks.';
const LOST: Doubt = { code: 'replyLost', reason: 'The reply of the hub was lost.' };

const EXISTS_OTHERWISE: Doubt = {
  code: 'existsOtherwise',
  reason: 'The id exists, without the twin that the line asks for, and this run may have made it.',
};

const HUB_TROUBLE: Doubt = { code: 'hubTrouble', reason: 'The hub had trouble with this line each time it was sent.' };

/** A `createOrUpdate` of a device that was not there is sent again as a `create` (`sentAgain`). */
function mayCreate({ mode }: LineOf): boolean {
  return mode === 'create' || mode === 'createOrUpdate';
}

function nameOf(code: number | string): string {
  return explainHubError(code).name;
}

/** Each line was sent by the job, perhaps by a second one, and then by calls. */
function triesOf(round: RoundOutcome | undefined, { after }: Findings): { readonly tries?: number } {
  if (round === undefined) return {};
  return { tries: round.tries + (after?.secondJob?.state === 'ended' ? 2 : 1) };
}

function afterRound(
  line: { readonly warning?: string },
  { is, code, isInDoubt }: RoundOutcome,
  isDoubtfulBefore: boolean,
): Verdict {
  switch (is) {
    case 'succeeded':
      return success(line);
    case 'warned':
      return warned(code ?? 'Unknown');
    case 'failed':
    case 'quota':
      return failed(code ?? 'Unknown');
    case 'pending':
      // The registry could not be read back: an error stands only where it says that nothing was done.
      if (code === undefined || isSilence(code)) return unconfirmed(LOST);
      if (code === WITHOUT_TWIN) return warned(code);
      if (!provesNothingDone(code)) return unconfirmed(HUB_TROUBLE);
      // The last word is of one try; an earlier one may have been applied.
      return isInDoubt || isDoubtfulBefore ? unconfirmed(LOST) : failed(code);
    case 'sent':
    case 'doubtful':
      return unconfirmed(LOST);
    default: {
      const never: never = is;
      throw new Error(`unknown state ${String(never)}`);
    }
  }
}

function isSilence(code: string): boolean {
  return code === 'Timeout' || code === 'NetworkError' || code === 'InvalidReply';
}

function success({ warning }: { readonly warning?: string }): Verdict {
  return warning === undefined
    ? { outcome: 'succeeded' }
    : { outcome: 'succeededWithWarning', code: 'checkWarning', reason: warning };
}

function warned(code: number | string): Verdict {
  const { name, sentence, action } = explainHubError(code);
  return { outcome: 'succeededWithWarning', code: name, reason: sentence, action };
}

function failed(code: number | string): Verdict {
  const { name, sentence, action } = explainHubError(code);
  return { outcome: 'failed', code: name, reason: sentence, action };
}

function notApplied({ reason }: Doubt): Verdict {
  return {
    outcome: 'failed',
    code: 'notApplied',
    reason: `${reason} The registry was read afterwards: it is not as the line asks.`,
    action: 'Drop failed-devices.txt to have it done.',
  };
}

function unconfirmed({ code, reason }: Doubt, why = ', for the registry could not be read afterwards'): Verdict {
  return {
    outcome: 'unconfirmed',
    code,
    reason: `${reason} Whether this line was applied is not known${why}.`,
    action:
      'Look the device up in the hub, or drop the line again in a mode that may be repeated, such as createOrUpdate.',
  };
}
