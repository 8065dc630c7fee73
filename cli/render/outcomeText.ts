import type { Outcome } from '../../src/lib/runs/runRecord.ts';
import type { Style } from './output.ts';

export type Paint = (style: Style, text: string) => string;

const OUTCOME_TEXT: Readonly<Record<Outcome, string>> = {
  succeeded: 'succeeded',
  succeededWithWarning: 'succeeded with a warning',
  unchanged: 'unchanged',
  failed: 'failed',
  rejected: 'rejected',
  skipped: 'skipped',
  unconfirmed: 'unconfirmed',
};

export function outcomeText(outcome: Outcome): string {
  return OUTCOME_TEXT[outcome];
}

export function outcomeStyle(outcome: Outcome): Style | undefined {
  switch (outcome) {
    case 'succeeded':
      return 'green';
    case 'failed':
    case 'rejected':
      return 'red';
    case 'unconfirmed':
    case 'succeededWithWarning':
      return 'yellow';
    default:
      return undefined;
  }
}
