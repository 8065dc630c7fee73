/** The waves of calls that follow the jobs of a run: which lines are sent once more, and in which order. */

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { isModuleLine } from '../../registryLines/snapshot.ts';
import { paceOfRun } from '../../runs/paceOfRun.ts';
import { type Evidence, type Facts, lacksTwin, saysNotThere, WITHOUT_TWIN } from '../evidence/evidence.ts';
import { hasTransient, logsName, mayBeStale } from '../evidence/jobFacts.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { type Aftermath, enter, evidenceAfterJobs, type FollowUp, maySend, sentLines } from './aftermath.ts';
import { againText } from './sentAgain.ts';
import type { SentLine } from './unfilledLines.ts';
import { readWaveOutcomes, type WaveOutcomes } from './waveOutcomes.ts';
import {
  changeWaves,
  readWaveResults,
  readWaves,
  type Wave,
  type WaveLine,
  type WavesState,
  writeWave,
} from './waves.ts';

/** What is granted at once: calls of at most half a minute, so that the activity that sends them ends in time. */
const MOST_CALLS_A_GRANT = 5;
const GRANT_MINUTES = 0.5;

interface CallWave extends Pick<Wave, 'name' | 'singly' | 'twinOnly' | 'patches'> {
  /** Whether there can be such a line at all: spares a pass over a file that may be large. */
  mayHave(facts: Facts, earlier: WaveOutcomes): boolean;
  /** @param evidence what the jobs of the run tell of the line */
  wants(sent: SentLine, evidence: Evidence, earlier: WaveOutcomes): boolean;
}

const hasFull = (facts: Facts, earlier: WaveOutcomes): boolean =>
  earlier.has('quota') || logsName(facts, (error) => error.class === 'quota');

/** Modules after all devices, for they need them; what met a full hub one by one, after all else. */
export const CALL_WAVES: readonly CallWave[] = [
  {
    name: 'devices',
    mayHave: hasTransient,
    wants: (sent, { open }) => !isModuleLine(sent.line) && !merges(sent) && open === 'transient',
  },
  {
    name: 'modules',
    mayHave: hasTransient,
    wants: (sent, { open }) => isModuleLine(sent.line) && !merges(sent) && open === 'transient',
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
    wants: ({ line }, evidence, earlier) => !isModuleLine(line) && meetsFull(line, evidence, earlier),
  },
  {
    name: 'full-modules',
    singly: true,
    mayHave: hasFull,
    wants: ({ line }, evidence, earlier) => isModuleLine(line) && meetsFull(line, evidence, earlier),
  },
];

/** What merges is sent again as a patch of the twin as it is now, which merges whatever has changed. */
function merges({ mode }: SentLine): boolean {
  return MODE_RULES[mode].patches;
}

function meetsFull(line: WaveLine, { open }: Evidence, earlier: WaveOutcomes): boolean {
  const state = earlier.find(line);
  if (state === undefined) return open === 'quota';
  if (state.is === 'quota') return true;
  // A module whose device has found its place only now.
  const isRefused = state.is === 'failed' || state.is === 'doubtful';
  if (!isModuleLine(line) || !isRefused || !saysNotThere(state.code ?? '')) return false;
  return earlier.find({ id: line.id })?.is === 'succeeded';
}

/** The next wave that is to be worked on; undefined when all have been. */
export async function waveOfCalls(work: Aftermath): Promise<FollowUp | undefined> {
  const { context, record, state } = work;
  const { waves } = state;
  // A wave that is planned here and found empty has nothing to tell: what the others came to is read once.
  let outcomes: WaveOutcomes | undefined;
  for (const plan of CALL_WAVES) {
    let wave = waves.find(({ name }) => name === plan.name);
    if (wave === undefined) {
      outcomes ??= await readWaveOutcomes(context, record, waves);
      wave = await planWave(work, plan, outcomes);
    }
    if (wave === undefined || wave.lines === 0 || wave.finishedAt !== undefined) continue;
    return beginWave(work, wave);
  }
  return undefined;
}

/** Notes in the record that a wave is worked on. */
export async function beginWave(work: Aftermath, wave: Wave): Promise<FollowUp> {
  await enter(work, 'retry');
  await work.context.runs.update(work.record.runId, (current) => {
    const { waiting: _waiting, ...rest } = current;
    const left = current.progress?.part === wave.name ? current.progress.left : wave.lines;
    return { ...rest, progress: { part: wave.name, lines: wave.lines, left } };
  });
  return workOn(work, wave);
}

async function planWave(work: Aftermath, plan: CallWave, earlier: WaveOutcomes): Promise<Wave | undefined> {
  const { context, record } = work;
  if (!plan.mayHave(work.facts, earlier)) return undefined;
  const lines = async function* () {
    for await (const sent of sentLines(work)) {
      if (!plan.wants(sent, evidenceAfterJobs(work, sent), earlier)) continue;
      yield plan.patches === true ? sent.asked : againText(sent.text, sent.guard);
    }
  };
  const { wants: _wants, mayHave: _mayHave, ...properties } = plan;
  return writeWave(context, record, { ...properties, lines: lines() });
}

/** How the lanes of a wave are to work on it. */
export function workOn({ context, record }: Aftermath, wave: Wave): FollowUp {
  const pace = paceOfRun(context, record);
  const { callItems, width } = pace;
  const itemsPerMinute = wave.patches === undefined ? pace.itemsPerMinute : pace.patchesPerMinute;
  return {
    do: 'work',
    wave: wave.name,
    chunks: wave.chunks,
    // One by one means one at a time: only so is it known when the hub is full.
    width: wave.singly === undefined ? width : 1,
    grant:
      callItems * Math.max(1, Math.min(MOST_CALLS_A_GRANT, Math.floor((itemsPerMinute * GRANT_MINUTES) / callItems))),
    itemsPerMinute,
  };
}

/**
 * The lanes of a wave come to their end when nothing is left for them, or when something went wrong: what they left
 * then is worked on again, as long as there is time for it.
 */
export async function markFinished(
  context: ProvisioningContext,
  record: ProvisionRun,
  name: string,
): Promise<WavesState> {
  const before = await readWaves(context, record);
  const wave = before?.waves.find((candidate) => candidate.name === name);
  const isOpen = before !== undefined && wave !== undefined && maySend(context, record, before, wave.until);
  if (isOpen && wave.singly === undefined) {
    for await (const { state } of readWaveResults(context, record, wave)) {
      if (state.is === 'pending' || state.is === 'sent') return before;
    }
  }
  return changeWaves(context, record, (state) => ({
    ...state,
    waves: state.waves.map((wave) =>
      wave.name === name && wave.finishedAt === undefined ? { ...wave, finishedAt: context.now().toISOString() } : wave,
    ),
  }));
}
