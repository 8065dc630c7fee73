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

/** A finding that a file or line is refused for. */
export interface Finding<Code> {
  readonly code: Code;
  /** What is wrong, and what a person can do about it: a sentence each. */
  readonly reason: string;
  readonly action: string;
  /** `tags.a.b` */
  readonly path?: string;
}

/** A finding out of a table of reasons; `path` fills the gap of that name too. */
export function findingOf<Code extends string>(
  reasons: Readonly<Record<Code, ReasonText>>,
  code: Code,
  values: ReasonValues = {},
  path?: string,
): Finding<Code> {
  const { says, action } = reasons[code];
  const all = path === undefined ? values : { path, ...values };
  return { code, reason: fill(says, all), action: fill(action, all), ...(path === undefined ? {} : { path }) };
}

/** The sentences of a reason, filled in: what is wrong, then what to do. */
export function describe(reason: ReasonText, values: ReasonValues = {}): string {
  return `${fill(reason.says, values)} ${fill(reason.action, values)}`;
}
