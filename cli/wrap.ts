import { commandText } from './commandText.ts';

/** Narrower than this text is not wrapped: it would be a column of single words. */
const NARROWEST = 30;

/**
 * Text in lines that fit the terminal, each indented. A word that is too long for a line, such as a path, stays whole.
 *
 * @param columns width of the terminal; undefined: one line
 */
export function wrap(text: string, indent: number, columns: number | undefined): readonly string[] {
  const blanks = ' '.repeat(indent);
  if (columns === undefined || columns < NARROWEST) return [blanks + text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
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

/** A text in lines that fit; but one with a command of this program stays in one piece, so that it can be pasted. */
export function wrapProse(text: string, columns: number | undefined): readonly string[] {
  return text.includes(`${commandText()} `) ? [text] : wrap(text, 0, columns);
}
