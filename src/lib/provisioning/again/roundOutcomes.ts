import { createIdentityNotes } from '../../registryLines/identityNotes.ts';
import { provesNothingDone } from '../evidence/standing.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { type LineState, type Round, readRoundResults } from './rounds.ts';

/** What became of a line in the last round that had it. */
export interface RoundOutcome {
  readonly is: LineState['is'];
  readonly tries: number;
  readonly code?: string;
  /** Only the registry can tell whether it was applied. */
  readonly isInDoubt: boolean;
}

export interface RoundOutcomes {
  /** Whether any line has this state. */
  has(is: LineState['is']): boolean;
  /** Undefined for a line that was in no round. */
  find(line: { readonly id: string; readonly moduleId?: string }): RoundOutcome | undefined;
}

/** Reads what became of the lines of all rounds but those of links and removals, in flat memory. */
export async function readRoundOutcomes(
  context: ProvisioningContext,
  record: ProvisionRun,
  rounds: readonly Round[],
): Promise<RoundOutcomes> {
  const notes = createIdentityNotes();
  for (const round of rounds) {
    if (round.links !== undefined || round.removes !== undefined) continue;
    for await (const { line, state } of readRoundResults(context, record, round)) {
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
      const doubt = isInDoubt(is, code, maybe === 'maybe');
      return { is, tries: Number(tries), ...(code === '' ? {} : { code }), isInDoubt: doubt };
    },
  };
}

function isInDoubt(is: LineState['is'], code: string, maybe: boolean): boolean {
  if (is === 'doubtful' || is === 'sent') return true;
  return is === 'pending' && (maybe || !provesNothingDone(code));
}
