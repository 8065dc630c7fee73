import { OUTCOMES, type RunBase } from '../../src/lib/runs/runRecord.ts';
import { formatCount } from './format.ts';
import { outcomeStyle, outcomeText, type Paint } from './outcomeText.ts';

export function sumOf(outcomes: NonNullable<RunBase['outcomes']>): number {
  return OUTCOMES.reduce((sum, outcome) => sum + outcomes[outcome], 0);
}

/** A count for each outcome that there is, and their sum. */
export function renderCounts(outcomes: RunBase['outcomes'], paint: Paint): string[] {
  if (outcomes === undefined) return [];
  const rows = OUTCOMES.filter((outcome) => outcomes[outcome] > 0);
  const total = sumOf(outcomes);
  const width = Math.max(formatCount(total).length, 5);
  const row = (text: string, count: number): string => `  ${text.padEnd(26)}${formatCount(count).padStart(width)}`;
  return [
    '',
    ...rows.map((outcome) => {
      const text = row(outcomeText(outcome), outcomes[outcome]);
      const style = outcomeStyle(outcome);
      return style === undefined ? text : paint(style, text);
    }),
    ...(rows.length > 1 ? [paint('dim', `  ${'─'.repeat(26 + width)}`)] : []),
    ...(rows.length === 1 ? [] : [row('lines', total)]),
  ];
}
