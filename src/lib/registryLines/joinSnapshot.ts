import { identityOf } from '../devicesFile/identityTable.ts';
import type { Identity, SnapshotLines } from './snapshot.ts';

/** So many lines are looked up at once: bounds memory, whatever the size of file and registry. */
const MOST_A_PASS = { lines: 20_000, characters: 64 * 1024 * 1024 };

/**
 * Lines in JSON, each with what the snapshot tells of its identity; undefined where the snapshot does not have it. The
 * snapshot is read once for each pass of lines.
 *
 * @param texts no two of one identity
 * @param tell what is to be known of a line that is found: that alone is kept until the pass is over
 */
export async function* joinSnapshot<Line extends Identity, Told>(
  texts: AsyncIterable<string>,
  snapshot: SnapshotLines,
  tell: (line: Line, found: string) => Told,
  most = MOST_A_PASS,
): AsyncGenerator<readonly [line: Line, told: Told | undefined]> {
  let pass = new Map<string, Line>();
  let characters = 0;
  const finishPass = async function* () {
    const told = new Map<Line, Told>();
    for await (const { text, of: line } of snapshot.find(pass)) told.set(line, tell(line, text));
    for (const line of pass.values()) yield [line, told.get(line)] as const;
    pass = new Map();
    characters = 0;
  };
  for await (const text of texts) {
    const line = JSON.parse(text) as Line;
    pass.set(identityOf(line), line);
    characters += text.length;
    if (pass.size >= most.lines || characters >= most.characters) yield* finishPass();
  }
  if (pass.size > 0) yield* finishPass();
}
