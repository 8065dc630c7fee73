import { type FillValues, fill } from '../codeText.ts';

/** Sentences with gaps, as the tables of reasons have them: `{names}` are filled when something is found. */

export interface ReasonText {
  /** What is wrong, one sentence. */
  readonly says: string;
  /** What a person can do about it, one sentence. */
  readonly action: string;
}

/** Numbers, field paths and words of our own, never text of the file: that can hold keys. */
export type ReasonValues = FillValues;

/** The sentences of a reason, filled in: what is wrong, then what to do. */
export function describe(reason: ReasonText, values: ReasonValues = {}): string {
  return `${fill(reason.says, values)} ${fill(reason.action, values)}`;
}
