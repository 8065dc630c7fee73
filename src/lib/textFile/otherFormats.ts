import { FileRefused } from './fileRefused.ts';

/**
 * Refuses the file if its first line, without blanks around it, shows that it is text of another form: better one
 * sentence that says so than a million rejected lines.
 */
export function refuseOtherFormats(line: number, text: string): void {
  if (text.startsWith('[')) throw new FileRefused('jsonArray', { line });
  if (isMacText(text)) throw new FileRefused('macLineEnds', { line });
  if (text === '{') throw new FileRefused('prettyPrinted', { line });
  if (!text.startsWith('{') && isCsvHeader(text)) throw new FileRefused('csv', { line });
}

/** Whether a carriage return parts what are lines; within an object it is a blank like others. */
function isMacText(text: string): boolean {
  const at = text.indexOf('\r');
  if (at < 0 || !text.slice(at).trimStart().startsWith('{')) return false;
  const before = text.slice(0, at).trimEnd();
  return before.endsWith('}') || !before.includes('{');
}

function isCsvHeader(text: string): boolean {
  const cells = text.slice(0, 4096).split(/[,;\t]/);
  return cells.length > 1 && cells.some((cell) => /^"?(?:id|device[ _-]?id)"?$/i.test(cell.trim()));
}
