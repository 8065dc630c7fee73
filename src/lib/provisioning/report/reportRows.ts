import type { Verdict } from '../../runs/outcomes.ts';
import type { IndexEntry } from '../check/lineIndex.ts';
import { tableText } from './reportTable.ts';

export const REPORT_COLUMNS = [
  'line',
  'deviceId',
  'moduleId',
  'importMode',
  'outcome',
  'code',
  'path',
  'reason',
  'action',
  'tries',
] as const;

/** As nearly all ids are: nothing in it needs quotes, nor could a spreadsheet take its beginning for a formula. */
const PLAIN = /^[\w.:%*?!()$#][\w.:%*?!()$#=@+-]*$/;

interface Tail extends Verdict {
  readonly path: string | undefined;
  readonly text: string;
}

/**
 * Makes the rows of `report.csv`, one for each line of the input. What lines that ended alike have in common is made into
 * text once; the rest of most rows needs no quotes.
 */
export function createReportRows(): (entry: IndexEntry, verdict: Verdict) => string {
  /** The last of each code: those that follow are nearly always the same to the letter. */
  const tails = new Map<string, Tail>();

  const tailOf = (verdict: Verdict, path: string | undefined): string => {
    const { outcome, code = '', reason, action, tries } = verdict;
    const key = code === '' ? outcome : code;
    const known = tails.get(key);
    if (known !== undefined && isAlike(known, verdict, path)) return known.text;
    const text = csvText([outcome, code, path ?? '', reason ?? '', action ?? '', tries ?? '']);
    tails.set(key, { ...verdict, path, text });
    return text;
  };

  return (entry, verdict) => {
    const { line, id = '', moduleId = '' } = entry;
    const mode = 'mode' in entry ? entry.mode : '';
    const path = 'path' in entry ? entry.path : undefined;
    return `${line},${csvCell(id)},${csvCell(moduleId)},${mode},${tailOf(verdict, path)}`;
  };
}

function isAlike(tail: Tail, { outcome, code, reason, action, tries }: Verdict, path: string | undefined): boolean {
  return (
    tail.outcome === outcome &&
    tail.code === code &&
    tail.path === path &&
    tail.reason === reason &&
    tail.action === action &&
    tail.tries === tries
  );
}

function csvCell(text: string): string {
  return text === '' || PLAIN.test(text) ? text : csvText([text]);
}

/** Without the line end. */
function csvText(cells: readonly (string | number)[]): string {
  return tableText([cells]).slice(0, -1);
}
