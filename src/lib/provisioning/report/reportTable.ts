import { stringify } from 'csv-stringify/sync';

/**
 * Where a program may see the start of a cell: at the start of the text, and after what other settings of a spreadsheet
 * take for the end of a cell. There, behind blanks and quotes, `=` and its like begin a formula.
 */
const FORMULA = /(?<=^|[;\t\r\n])(?='|(?:"|[^\S\t\r\n])*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r])/g;

/**
 * Rows of a report as CSV, of which a spreadsheet takes no text for a formula: an apostrophe is put before it, and one
 * more before an apostrophe that stands in such a place. So the text comes back when one apostrophe is taken away from
 * the start of each cell, and after each `;`, tab and line break in it.
 */
export function tableText(rows: readonly (readonly (string | number)[])[]): string {
  return stringify(rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell : guarded(cell)))));
}

function guarded(text: string): string {
  return text.replace(FORMULA, "'");
}
