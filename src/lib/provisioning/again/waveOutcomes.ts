import { createIdentityNotes } from '../../registryLines/identityNotes.ts';
import { type Evidence, provesNothingDone } from '../evidence/evidence.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { doubt } from '../texts/outcomeTexts.ts';
import { type LineState, readWaveResults, type Wave } from './waves.ts';

/** What became of a line in the last wave that had it. */
export type WaveOutcome = Pick<LineState, 'is' | 'tries' | 'code' | 'maybe'>;

export interface WaveOutcomes {
  /** Whether any line has this state. */
  has(is: LineState['is']): boolean;
  /** Undefined for a line that was in no wave. */
  find(line: { readonly id: string; readonly moduleId?: string }): WaveOutcome | undefined;
}

/** Reads what became of the lines of all waves but those of links and removals, in flat memory. */
export async function readWaveOutcomes(
  context: ProvisioningContext,
  record: ProvisionRun,
  waves: readonly Wave[],
): Promise<WaveOutcomes> {
  const notes = createIdentityNotes();
  for (const wave of waves) {
    if (wave.links !== undefined || wave.removes !== undefined) continue;
    for await (const { line, state } of readWaveResults(context, record, wave)) {
      // Never sent: it stands as before.
      if (state.is === 'pending' && state.tries === 0 && state.code === undefined) continue;
      const word = [state.is, state.tries, state.maybe === true ? 'maybe' : 'no', state.code ?? ''].join(' ');
      notes.set(line.id, line.moduleId, word);
    }
  }
  return {
    has: (is) => notes.words.some((word) => String(word).startsWith(`${is} `)),
    find({ id, moduleId }) {
      const note = notes.find(id, moduleId);
      if (note === undefined) return undefined;
      const [is, tries, maybe, ...words] = String(note).split(' ') as [LineState['is'], string, string, ...string[]];
      // A code that nobody knows can be anything.
      const code = words.join(' ');
      return {
        is,
        tries: Number(tries),
        ...(code === '' ? {} : { code }),
        ...(maybe === 'maybe' ? { maybe: true } : {}),
      };
    },
  };
}

export const REPLY_LOST = doubt('replyLost');

/** Codes of calls that had no reply, or none that can be read. */
const SILENCE = new Set(['Timeout', 'NetworkError', 'InvalidReply']);

/** What is known of a line after the calls that have sent it again. */
export function afterCalls(before: Evidence, outcome: WaveOutcome | undefined): Evidence {
  if (outcome === undefined) return before;
  const code = outcome.code ?? before.code;
  const known = { tries: before.tries + outcome.tries, ...(code === undefined ? {} : { code }) };
  switch (outcome.is) {
    case 'succeeded':
      return { applied: 'yes', tries: known.tries };
    case 'warned':
      return { applied: 'yes', ...known };
    case 'failed':
      return { applied: 'no', ...known };
    case 'quota':
      return { applied: 'no', open: 'quota', ...known };
    case 'pending': {
      const isUntouched = outcome.code !== undefined && provesNothingDone(outcome.code);
      // The last word is of one try; an earlier one may have been applied.
      if (isUntouched && outcome.maybe === undefined && before.applied !== 'maybe') {
        return { applied: 'no', open: 'transient', ...known };
      }
      const isTrouble = outcome.code !== undefined && !isUntouched && !SILENCE.has(outcome.code);
      return { applied: 'maybe', open: 'transient', ...known, ...(isTrouble ? {} : { doubt: REPLY_LOST }) };
    }
    case 'sent':
    case 'doubtful':
      return { applied: 'maybe', doubt: REPLY_LOST, ...known };
    default: {
      const never: never = outcome.is;
      throw new Error(`unknown state ${String(never)}`);
    }
  }
}
