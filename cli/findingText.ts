/** What the check has found in a line, as text for people. */

import type { Output } from './output.ts';
import { wrap } from './wrap.ts';

export interface Finding {
  readonly kind: 'rejected' | 'warning';
  readonly line: number;
  readonly id?: string;
  readonly moduleId?: string;
  /** What is wrong; of a warning also what to do. */
  readonly reason: string;
  readonly action?: string;
  readonly column?: number;
}

/** Where the text of a finding starts, behind its line and kind. */
const TEXT_COLUMN = 22;

export function renderFinding(finding: Finding, look: Pick<Output, 'style' | 'columns'>): readonly string[] {
  const { line, column, id, moduleId, kind, reason, action } = finding;
  const { style: paint, columns } = look;
  const identity = id === undefined ? '' : `${id}${moduleId === undefined ? '' : `/${moduleId}`}: `;
  const place = `line ${line}${column === undefined ? '' : `:${column}`}`;
  const label = kind === 'rejected' ? paint('red', 'rejected') : paint('yellow', 'warning ');
  const [first = '', ...others] = textOf(`${identity}${reason}`, action, columns);
  return [`${place.padEnd(10)}  ${label}  ${first.trimStart()}`, ...others];
}

/** On one line if it fits there; else what to do begins a line of its own, for it may be a command. */
function textOf(said: string, action: string | undefined, columns: number | undefined): readonly string[] {
  const all = wrap(action === undefined ? said : `${said} ${action}`, TEXT_COLUMN, columns);
  if (all.length === 1 || action === undefined) return all;
  return [...wrap(said, TEXT_COLUMN, columns), ...wrap(action, TEXT_COLUMN, columns)];
}
