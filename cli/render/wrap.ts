import { commandText } from './commandText.ts';

/** Narrower than this text is not wrapped: it would be a column of single words. */
const NARROWEST = 30;

/**
 * Text in lines that fit the terminal, each indented. A word that is too long for a line, such as a path, stays whole.
 *
 * @param columns width of the terminal; undefined: one line
 */
export function wrap(text: string, indent: number, columns: number | undefined): readonly string[] {
  return wrapWords(text.split(' '), indent, columns);
}

/** The same of words, or of groups of them that stay together. */
export function wrapWords(words: readonly string[], indent: number, columns: number | undefined): readonly string[] {
  const blanks = ' '.repeat(indent);
  if (columns === undefined || columns < NARROWEST) return [blanks + words.join(' ')];
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent + longer.length > columns) {
      lines.push(blanks + line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, blanks + line];
}

/**
 * The same for what is said of a line of a file: a path of it, such as `tags.a.b`, that is too long for a line is broken
 * behind dots.
 */
export function wrapFinding(text: string, indent: number, columns: number | undefined): readonly string[] {
  if (columns === undefined) return wrap(text, indent, columns);
  const room = columns - indent;
  return wrap(
    text
      .split(' ')
      .map((word) => (word.length <= room ? word : brokenAtDots(word, room)))
      .join(' '),
    indent,
    columns,
  );
}

function brokenAtDots(word: string, room: number): string {
  const pieces: string[] = [];
  for (const part of word.split(/(?<=\.)(?=.)/)) {
    const last = pieces.at(-1);
    if (last !== undefined && last.length + part.length <= room) pieces[pieces.length - 1] = last + part;
    else pieces.push(part);
  }
  return pieces.join(' ');
}

/** Text behind a head of its own: what does not fit goes on below itself. */
export function behind(head: string, [first = '', ...others]: readonly string[]): readonly string[] {
  return [head + first.trimStart(), ...others];
}

/**
 * A text in lines that fit, indented as it is itself. A command of this program in it stays in one piece, so that it can be
 * pasted.
 */
export function wrapProse(text: string, columns: number | undefined): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trimStart();
    return wrapWords(wordsOf(words), line.length - words.length, columns);
  });
}

/** A command as one word; it ends with the text, or where a word ends with a sign that ends a part of a sentence. */
function wordsOf(text: string): readonly string[] {
  const name = `${commandText()} `;
  const start = text.indexOf(name);
  if (start < 0) return text.split(' ');
  const rest = text.slice(start + name.length);
  // A quoted argument may hold anything.
  const [args = ''] = /^(?:\\'|'[^']*'|"[^"]*"|[^'",.:;]|[,.:;](?=\S| --))*\S*/.exec(rest) ?? [];
  const before = text.slice(0, start).trimEnd();
  const after = rest.slice(args.length).trimStart();
  return [
    ...(before === '' ? [] : before.split(' ')),
    `${name}${args}`.trimEnd(),
    ...(after === '' ? [] : wordsOf(after)),
  ];
}
