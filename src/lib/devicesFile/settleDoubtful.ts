/** The second look at lines whose identity hash met that of an earlier line. */

import { FileRefused } from '../textFile/fileRefused.ts';
import type { LinePassEvents } from '../textFile/linePass.ts';
import type { AcceptedLine, LineChecker } from './checkLine.ts';
import type { Note } from './findings.ts';
import { identityOf } from './identityTable.ts';
import type { LinePairs } from './linePairs.ts';

export interface DoubtfulEvents {
  /** The hashes met by chance. */
  innocent(accepted: AcceptedLine, notes: readonly Note[]): void;
  /** `first` is the line that had the identity first; `bytes` are valid only during the call. */
  duplicate(accepted: AcceptedLine, first: number, bytes: Buffer): void;
}

/** One pass over the file. */
export type ReadPass = (events: LinePassEvents) => Promise<void>;

/** How many lines one more pass over the file settles; their identities are in memory meanwhile. */
const LINES_A_PASS = 65_536;

/**
 * Compares the identities themselves: of each doubtful line, and of the line that it met.
 *
 * @param doubtful pairs of (line that was there first, line in doubt), ascending by the latter
 */
export async function settleDoubtful(
  doubtful: LinePairs,
  readPass: ReadPass,
  checker: LineChecker,
  events: DoubtfulEvents,
): Promise<void> {
  /** Lines found innocent, by the first line with their hash: a later line may be a duplicate of one of them. */
  const innocents = new Map<number, { readonly identity: string; readonly line: number }[]>();
  for (let from = 0; from < doubtful.length; from += LINES_A_PASS) {
    await settleSome(from, Math.min(from + LINES_A_PASS, doubtful.length));
  }

  async function settleSome(from: number, to: number): Promise<void> {
    const firsts = new Uint32Array(to - from);
    for (let index = from; index < to; index += 1) firsts[index - from] = doubtful.first(index);
    firsts.sort();
    let nextFirst = 0;
    let next = from;
    const identities = new Map<number, string>();

    await readPass({
      wants: (line) => next < to && (line === firsts[nextFirst] || line === doubtful.later(next)),
      done: () => next === to,
      blank: () => undefined,
      longLine: () => undefined,
      badUtf8: () => undefined,
      text(line, text, source) {
        const verdict = checker.check(text, line, source);
        if (verdict.kind !== 'accepted') throw new FileRefused('inputChanged', { line });
        const { accepted, notes } = verdict;
        const identity = identityOf(accepted);
        if (line === firsts[nextFirst]) {
          identities.set(line, identity);
          while (firsts[nextFirst] === line) nextFirst += 1;
          return;
        }
        const first = doubtful.first(next);
        next += 1;
        const others = innocents.get(first) ?? [];
        const same =
          identities.get(first) === identity ? first : others.find((other) => other.identity === identity)?.line;
        if (same !== undefined) {
          events.duplicate(accepted, same, source.bytes.subarray(source.start, source.end));
          return;
        }
        others.push({ identity, line });
        innocents.set(first, others);
        events.innocent(accepted, notes);
      },
    });
    if (next !== to) throw new FileRefused('inputChanged');
  }
}
