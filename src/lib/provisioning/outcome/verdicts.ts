/** What becomes of each line that was given to the hub, out of everything that its run found out. */

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { explainHubError } from '../../registry/index.ts';
import { createIdentityNotes, type IdentityNotes } from '../../registryLines/identityNotes.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import { explainLinkFailure, type LinkOutcomes, readLinkOutcomes } from '../again/parentLinks.ts';
import { NOT_REMOVED, type RemovalOutcomes, readRemovals } from '../again/removals.ts';
import { afterCalls, REPLY_LOST, readWaveOutcomes, type WaveOutcomes } from '../again/waveOutcomes.ts';
import { demandWaves, readWaves, type WavesState } from '../again/waves.ts';
import {
  type Evidence,
  evidenceOf,
  explainsItself,
  type Facts,
  type LineOf,
  lacksTwin,
  WITHOUT_TWIN,
} from '../evidence/evidence.ts';
import { readFacts } from '../evidence/jobFacts.ts';
import { isLostAfterSend, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { doubt, unconfirmed, verdict } from '../texts/outcomeTexts.ts';
import { readFound } from '../verify/verification.ts';
import { explainMissing } from './missingAfterCreate.ts';

export interface Findings {
  readonly facts: Facts;
  /** What was done after the import job; undefined when nothing was to be done. */
  readonly after: WavesState | undefined;
  readonly waves: WaveOutcomes;
  /** Of lines that were verified: an `Agreement`. */
  readonly found: IdentityNotes;
  /** What became of the links of devices to their parents; undefined: it does not matter. */
  readonly links: LinkOutcomes | undefined;
  /** What had to go from twins; undefined: nothing had, or it does not matter. */
  readonly removals: RemovalOutcomes | undefined;
}

export async function readFindings(context: ProvisioningContext, record: ProvisionRun): Promise<Findings> {
  const after = record.wavesOpened ? await demandWaves(context, record) : await readWaves(context, record);
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
    waves: await readWaveOutcomes(context, record, after?.waves ?? []),
    found,
    links: after === undefined ? undefined : await readLinkOutcomes(context, record, after),
    removals: isLostAfterSend(record) ? undefined : await readRemovals(context, record, after?.waves ?? []),
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
  // Verified, it is gone; and a patch of the whole line has taken it away.
  if (findings.found.find(line.id, line.moduleId) === 'all') return false;
  return !MODE_RULES[line.mode].patches || findings.waves.find(line) === undefined;
}

/** Why the device of a line was not linked to its parent, if it was not. */
export function linkFailureOf(line: Pick<LineOf, 'id' | 'moduleId'>, { links }: Findings): string | undefined {
  return line.moduleId === undefined ? links?.failureOf(line.id) : undefined;
}

type JudgedLine = LineOf & { readonly warning?: string };

function verdictOnIdentity(line: JudgedLine, findings: Findings): Verdict {
  const calls = findings.waves.find(line);
  const evidence = afterCalls(evidenceOf(line, findings.facts), calls);
  const tries = calls === undefined ? {} : { tries: evidence.tries };
  const read = findings.found.find(line.id, line.moduleId);
  if (read === undefined) return { ...verdictWithoutReading(line, evidence), ...tries };
  if (read === 'all' || (read === 'more' && findings.removals?.has(line) === true)) {
    const { warning } = line;
    const verified = verdict('readBack');
    if (warning === undefined) return { ...verified, ...tries };
    return { ...verdict('checkWarning', { warning: `${warning} ${verified.reason}` }), ...tries };
  }
  const { code, open, doubt: why = REPLY_LOST } = evidence;
  // Made by this run and left without its twin, or somebody else's: nothing tells them apart.
  if (read === 'identity' && mayCreate(line) && code !== undefined && explainsItself('create', nameOf(code))) {
    return unconfirmed(doubt('existsOtherwise'), 'read');
  }
  // What had to go from the twin is lost with the rest: a hub that merges has applied the line, one that replaces has not.
  if (read === 'more' && findings.facts.first.lost === true) return unconfirmed(why, 'more');
  if (open === 'stale') return verdict('twinChanged');
  const partly = read === 'twin' ? ' Its tags and desired properties are as the line asks, its identity is not.' : '';
  if (code === undefined) return verdict('notApplied', { doubt: why.reason, partly });
  // The hub has said that the identity is there; what it lacks is its twin.
  if (lacksTwin(code)) return { ...warned(code), ...tries };
  const failure = failed(code);
  return { ...failure, reason: `${failure.reason}${partly}`, ...tries };
}

/** @param evidence of jobs and calls alone: the registry was not read, or could not be */
function verdictWithoutReading(line: JudgedLine, { applied, open, code, doubt: why }: Evidence): Verdict {
  if (applied === 'yes') return code === undefined ? success(line) : warned(code);
  if (applied === 'maybe') {
    // That it was made is known, and that its twin was not.
    if (code !== undefined && why === undefined && lacksTwin(code)) return warned(code);
    return unconfirmed(why ?? HUB_TROUBLE);
  }
  if (open === 'stale') return verdict('twinChanged');
  return code === undefined ? unchanged(line) : failed(code);
}

const HUB_TROUBLE = doubt('hubTrouble');

/** A `createOrUpdate` of a device that was not there is sent again as a `create` (`sentAgain`). */
function mayCreate({ mode }: LineOf): boolean {
  return mode === 'create' || MODE_RULES[mode].ifAbsent === 'create';
}

function nameOf(code: number | string): string {
  return explainHubError(code).name;
}

function unchanged({ moduleId }: LineOf): Verdict {
  return {
    outcome: 'unchanged',
    code: explainHubError(moduleId === undefined ? 404001 : 404010).name,
    reason: 'It was not in the registry: there was nothing to delete.',
  };
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
