/** Markdown as the pages that are written from code need it. */

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map((row) => line(row.map(escaped)))].join('\n');
}

/** Text that would be read as Markdown; code keeps its backticks. */
function escaped(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/[|_*<]/g, '\\$&')))
    .join('');
}

export function code(text: string | number): string {
  return `\`${text}\``;
}
