/** The rounds of calls that follow the jobs of a run: which lines are sent once more, and in which order. */

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { type Evidence, type Facts, lacksTwin, saysNotThere, WITHOUT_TWIN } from '../evidence/evidence.ts';
import { hasTransient, logsName, mayBeStale } from '../evidence/jobFacts.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { type Aftermath, enter, evidenceAfterJobs, maySend, type NextRound, sentLines } from './aftermath.ts';
import { paceOfRun } from './paceOfRun.ts';
import { type RoundOutcomes, readRoundOutcomes } from './roundOutcomes.ts';
import {
  changeRounds,
  type Round,
  type RoundLine,
  type RoundsState,
  readRoundResults,
  readRounds,
  writeRound,
} from './rounds.ts';
import { againText } from './sentAgain.ts';
import type { SentLine } from './unfilledLines.ts';

/** What is granted at once: calls of at most half a minute, so that the activity that sends them ends in time. */
const MOST_CALLS_A_GRANT = 5;
const GRANT_MINUTES = 0.5;

interface CallRound extends Pick<Round, 'name' | 'singly' | 'twinOnly' | 'patches'> {
  /** Whether there can be such a line at all: spares a pass over a file that may be large. */
  mayHave(facts: Facts, earlier: RoundOutcomes): boolean;
  /** @param evidence what the jobs of the run tell of the line */
  wants(sent: SentLine, evidence: Evidence, earlier: RoundOutcomes): boolean;
}

const hasFull = (facts: Facts, earlier: RoundOutcomes): boolean =>
  earlier.has('quota') || logsName(facts, (error) => error.class === 'quota');

/** Modules after all devices, for they need them; what met a full hub one by one, after all else. */
export const CALL_ROUNDS: readonly CallRound[] = [
  {
    name: 'devices',
    mayHave: hasTransient,
    wants: (sent, { open }) => !isModule(sent.line) && !merges(sent) && open === 'transient',
  },
  {
    name: 'modules',
    mayHave: hasTransient,
    wants: (sent, { open }) => isModule(sent.line) && !merges(sent) && open === 'transient',
  },
  {
    name: 'merges',
    patches: true,
    mayHave: (facts) => hasTransient(facts) || mayBeStale(facts),
    wants: (sent, { open }) => merges(sent) && (open === 'transient' || open === 'stale'),
  },
  {
    name: 'twins',
    twinOnly: true,
    mayHave: (facts) => logsName(facts, ({ name }) => name === WITHOUT_TWIN),
    wants: (_sent, { applied, code }) => applied === 'yes' && lacksTwin(code),
  },
  {
    name: 'full-devices',
    singly: true,
    mayHave: hasFull,
    wants: ({ line }, evidence, earlier) => !isModule(line) && meetsFull(line, evidence, earlier),
  },
  {
    name: 'full-modules',
    singly: true,
    mayHave: hasFull,
    wants: ({ line }, evidence, earlier) => isModule(line) && meetsFull(line, evidence, earlier),
  },
];

function isModule({ moduleId }: RoundLine): boolean {
  return moduleId !== undefined && moduleId !== null;
}

/** What merges is sent again as a patch of the twin as it is now, which merges whatever has changed. */
function merges({ mode }: SentLine): boolean {
  return MODE_RULES[mode].patches;
}

function meetsFull(line: RoundLine, { open }: Evidence, earlier: RoundOutcomes): boolean {
  const state = earlier.find(line);
  if (state === undefined) return open === 'quota';
  if (state.is === 'quota') return true;
  // A module whose device has found its place only now.
  const isRefused = state.is === 'failed' || state.is === 'doubtful';
  if (!isModule(line) || !isRefused || !saysNotThere(state.code ?? '')) return false;
  return earlier.find({ id: line.id })?.is === 'succeeded';
}

/** The next round that is to be worked on; undefined when all have been. */
export async function roundOfCalls(work: Aftermath): Promise<NextRound | undefined> {
  const { context, record, state } = work;
  const { rounds } = state;
  // A round that is planned here and found empty has nothing to tell: what the others came to is read once.
  let outcomes: RoundOutcomes | undefined;
  for (const plan of CALL_ROUNDS) {
    let round = rounds.find(({ name }) => name === plan.name);
    if (round === undefined) {
      outcomes ??= await readRoundOutcomes(context, record, rounds);
      round = await planRound(work, plan, outcomes);
    }
    if (round === undefined || round.lines === 0 || round.finishedAt !== undefined) continue;
    return beginRound(work, round);
  }
  return undefined;
}

/** Notes in the record that a round is worked on. */
export async function beginRound(work: Aftermath, round: Round): Promise<NextRound> {
  await enter(work, 'retry');
  await work.context.runs.update(work.record.runId, (current) => {
    const { waiting: _waiting, ...rest } = current;
    const left = current.progress?.part === round.name ? current.progress.left : round.lines;
    return { ...rest, progress: { part: round.name, lines: round.lines, left } };
  });
  return workOn(work, round);
}

async function planRound(work: Aftermath, plan: CallRound, earlier: RoundOutcomes): Promise<Round | undefined> {
  const { context, record } = work;
  if (!plan.mayHave(work.facts, earlier)) return undefined;
  const lines = async function* () {
    for await (const sent of sentLines(work)) {
      if (!plan.wants(sent, evidenceAfterJobs(work, sent), earlier)) continue;
      yield plan.patches === true ? sent.asked : againText(sent.text, sent.guard);
    }
  };
  const { wants: _wants, mayHave: _mayHave, ...properties } = plan;
  return writeRound(context, record, { ...properties, lines: lines() });
}

/** How the lanes of a round are to work on it. */
export function workOn({ context, record }: Aftermath, round: Round): NextRound {
  const pace = paceOfRun(context, record);
  const { callItems, width } = pace;
  const itemsPerMinute = round.patches === undefined ? pace.itemsPerMinute : pace.patchesPerMinute;
  return {
    do: 'work',
    round: round.name,
    chunks: round.chunks,
    // One by one means one at a time: only so is it known when the hub is full.
    width: round.singly === undefined ? width : 1,
    grant:
      callItems * Math.max(1, Math.min(MOST_CALLS_A_GRANT, Math.floor((itemsPerMinute * GRANT_MINUTES) / callItems))),
    itemsPerMinute,
  };
}

/**
 * The lanes of a round come to their end when nothing is left for them, or when something went wrong: what they left
 * then is worked on again, as long as there is time for it.
 */
export async function markFinished(
  context: ProvisioningContext,
  record: ProvisionRun,
  name: string,
): Promise<RoundsState> {
  const before = (await readRounds(context, record))?.value;
  const round = before?.rounds.find((candidate) => candidate.name === name);
  const isOpen = before !== undefined && round !== undefined && maySend(context, record, before, round.until);
  if (isOpen && round.singly === undefined) {
    for await (const { state } of readRoundResults(context, record, round)) {
      if (state.is === 'pending' || state.is === 'sent') return before;
    }
  }
  return changeRounds(context, record, (state) => ({
    ...state,
    rounds: state.rounds.map((round) =>
      round.name === name && round.finishedAt === undefined
        ? { ...round, finishedAt: context.now().toISOString() }
        : round,
    ),
  }));
}
