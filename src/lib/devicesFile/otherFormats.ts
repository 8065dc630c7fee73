import { FileRefused } from './fileRefused.ts';

/**
 * Refuses the file if its first line, without blanks around it, shows that it is text of another form: better one
 * sentence that says so than a million rejected lines.
 */
export function refuseOtherFormats(line: number, text: string): void {
  if (text.startsWith('[')) throw new FileRefused('jsonArray', { line });
  // Within an object, a carriage return is a blank like others.
  if (/(?:\}[ \t]*|^[^{]*)\r[ \t\r]*\{/.test(text)) throw new FileRefused('macLineEnds', { line });
  if (text === '{') throw new FileRefused('prettyPrinted', { line });
  if (!text.startsWith('{') && isCsvHeader(text)) throw new FileRefused('csv', { line });
}

function isCsvHeader(text: string): boolean {
  const cells = text.slice(0, 4096).split(/[,;\t]/);
  return cells.length > 1 && cells.some((cell) => /^"?(?:id|device[ _-]?id)"?$/i.test(cell.trim()));
}
