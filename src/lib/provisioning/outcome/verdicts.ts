/** What becomes of each line that was given to the hub, out of everything that its run found out. */

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { explainHubError } from '../../registry/index.ts';
import { createIdentityNotes, type IdentityNotes } from '../../registryLines/identityNotes.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { explainLinkFailure, type LinkOutcomes, readLinkOutcomes } from '../again/parentLinks.ts';
import { NOT_REMOVED, type RemovalOutcomes, readRemovals } from '../again/removals.ts';
import { type RoundOutcome, type RoundOutcomes, readRoundOutcomes } from '../again/roundOutcomes.ts';
import { ROUNDS_BLOB, type RoundsState, readRounds } from '../again/rounds.ts';
import {
  explainsItself,
  type Facts,
  type LineOf,
  mayBeApplied,
  provesNothingDone,
  readFacts,
  standingOf,
  WITHOUT_TWIN,
} from '../evidence/standing.ts';
import { isLostAfterSend, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { doubt, unconfirmed, verdict } from '../texts/outcomeTexts.ts';
import { readFound } from '../verify/verification.ts';
import { explainMissing } from './missingAfterCreate.ts';

export interface Findings {
  readonly facts: Facts;
  /** What was done after the import job; undefined when nothing was to be done. */
  readonly after: RoundsState | undefined;
  readonly rounds: RoundOutcomes;
  /** Of lines that were read back: an `Agreement`. */
  readonly found: IdentityNotes;
  /** What became of the links of devices to their parents; undefined: it does not matter. */
  readonly links: LinkOutcomes | undefined;
  /** What had to go from twins; undefined: nothing had, or it does not matter. */
  readonly removals: RemovalOutcomes | undefined;
}

export async function readFindings(context: ProvisioningContext, record: ProvisionRun): Promise<Findings> {
  const after = (await readRounds(context, record))?.value;
  if (after === undefined && record.roundsOpened) throw new StagingLost(record.runId, ROUNDS_BLOB);
  const found = createIdentityNotes();
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
    removals: isLostAfterSend(record) ? undefined : await readRemovals(context, record, after?.rounds ?? []),
  };
}

/** @param warning what the check warned of in this line */
export function verdictOn(line: LineOf & { readonly warning?: string }, findings: Findings): Verdict {
  const ofIdentity = explainMissing(line, verdictOnIdentity(line, findings));
  if (!isApplied(ofIdentity)) return ofIdentity;
  if (mayLeaveRemains(line, ofIdentity, findings) && findings.removals?.failureOf(line) !== undefined) {
    return remains(findings.removals.failureOf(line));
  }
  const failure = linkFailureOf(line, findings);
  return failure === undefined ? ofIdentity : explainLinkFailure(failure);
}

function isApplied({ outcome }: Verdict): boolean {
  return outcome === 'succeeded' || outcome === 'succeededWithWarning';
}

/** Whether a line was applied, whatever became of its link and of what had to go from its twin. */
export function wasApplied(line: LineOf, findings: Findings): boolean {
  return isApplied(verdictOnIdentity(line, findings));
}

/** Whether a line was applied, and what had to go from its twin may still be there. */
export function isRemovalDue(line: LineOf, findings: Findings): boolean {
  const ofIdentity = verdictOnIdentity(line, findings);
  return isApplied(ofIdentity) && mayLeaveRemains(line, ofIdentity, findings);
}

function mayLeaveRemains(line: LineOf, { code }: Verdict, findings: Findings): boolean {
  if (findings.removals?.has(line) !== true || code === WITHOUT_TWIN) return false;
  // Read back, it is gone; and a patch of the whole line has taken it away.
  if (findings.found.find(line.id, line.moduleId) === 'all') return false;
  return !MODE_RULES[line.mode].patches || findings.rounds.find(line) === undefined;
}

/** Why the device of a line was not linked to its parent, if it was not. */
export function linkFailureOf(line: Pick<LineOf, 'id' | 'moduleId'>, { links }: Findings): string | undefined {
  return line.moduleId === undefined ? links?.failureOf(line.id) : undefined;
}

function verdictOnIdentity(line: LineOf & { readonly warning?: string }, findings: Findings): Verdict {
  const round = findings.rounds.find(line);
  const standing = standingOf(line, findings.facts);
  const doubted = standing.is === 'doubtful' ? standing.doubt : LOST;
  const code = round?.code ?? ('code' in standing ? standing.code : undefined);
  const tries = triesOf(round, findings);

  const read = findings.found.find(line.id, line.moduleId);
  if (read === 'all' || (read === 'more' && findings.removals?.has(line) === true)) {
    const { warning } = line;
    const verified = verdict('readBack');
    if (warning === undefined) return { ...verified, ...tries };
    return { ...verdict('checkWarning', { warning: `${warning} ${verified.reason}` }), ...tries };
  }
  if (read !== undefined) {
    // Made by this run and left without its twin, or somebody else's: nothing tells them apart.
    if (read === 'identity' && mayCreate(line) && code !== undefined && explainsItself('create', nameOf(code))) {
      return unconfirmed(doubt('existsOtherwise'), 'read');
    }
    // What had to go from the twin is lost with the rest: a hub that merges has applied the line, one that replaces has not.
    if (read === 'more' && findings.facts.first.lost === true) return unconfirmed(doubted, 'more');
    if (standing.is === 'stale' && round === undefined) return verdict('twinChanged');
    const partly = read === 'twin' ? ' Its tags and desired properties are as the line asks, its identity is not.' : '';
    if (code === undefined) return verdict('notApplied', { doubt: doubted.reason, partly });
    // The hub has said that the identity is there; what it lacks is its twin.
    if (explainHubError(code).name === WITHOUT_TWIN) return { ...warned(code), ...tries };
    const failure = failed(code);
    return { ...failure, reason: `${failure.reason}${partly}`, ...tries };
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
    case 'stale':
      return standing.maybe ? unconfirmed(HUB_TROUBLE) : verdict('twinChanged');
    case 'failed':
    case 'quota':
      return { ...failed(standing.code), ...tries };
    default: {
      const never: never = standing;
      throw new Error(`unknown standing ${JSON.stringify(never)}`);
    }
  }
}

const LOST = doubt('replyLost');
const HUB_TROUBLE = doubt('hubTrouble');

/** A `createOrUpdate` of a device that was not there is sent again as a `create` (`sentAgain`). */
function mayCreate({ mode }: LineOf): boolean {
  return mode === 'create' || MODE_RULES[mode].ifAbsent === 'create';
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
  return warning === undefined ? { outcome: 'succeeded' } : verdict('checkWarning', { warning });
}

function warned(code: number | string): Verdict {
  const { name, sentence, action } = explainHubError(code);
  return { outcome: 'succeededWithWarning', code: name, reason: sentence, action };
}

function failed(code: number | string): Verdict {
  const { name, sentence, action } = explainHubError(code);
  return { outcome: 'failed', code: name, reason: sentence, action };
}

function remains(why: string | undefined): Verdict {
  const error = why === undefined || why === NOT_REMOVED ? '' : ` ${explainHubError(why).sentence}`;
  return verdict('keysNotRemoved', { error });
}
