/** What the check has found in a line, as text for people. */

import type { Output } from './output.ts';
import { behind, wrapFinding } from './wrap.ts';

export interface Finding {
  readonly kind: 'rejected' | 'skipped' | 'warning';
  readonly line: number;
  readonly id?: string;
  readonly moduleId?: string;
  /** What is wrong; of a warning also what to do. */
  readonly reason: string;
  readonly action?: string;
  readonly column?: number;
}

const KIND = {
  rejected: ['red', 'rejected'],
  skipped: ['dim', 'skipped '],
  warning: ['yellow', 'warning '],
} as const;

/** Where the text of a finding starts, behind its line and kind. */
const TEXT_COLUMN = 22;

export function renderFinding(finding: Finding, look: Pick<Output, 'style' | 'columns'>): readonly string[] {
  const { line, column, id, moduleId, kind, reason, action } = finding;
  const { style: paint, columns } = look;
  const identity = id === undefined ? '' : `${id}${moduleId === undefined ? '' : `/${moduleId}`}: `;
  const place = `line ${line}${column === undefined ? '' : `:${column}`}`;
  const [style, label] = KIND[kind];
  const head = `${place.padEnd(10)}  ${paint(style, label)}  `;
  return behind(head, textOf(`${identity}${reason}`, action, columns));
}

/** On one line if it fits there; else what to do begins a line of its own, for it may be a command. */
function textOf(said: string, action: string | undefined, columns: number | undefined): readonly string[] {
  const all = wrapFinding(action === undefined ? said : `${said} ${action}`, TEXT_COLUMN, columns);
  if (all.length === 1 || action === undefined) return all;
  return [...wrapFinding(said, TEXT_COLUMN, columns), ...wrapFinding(action, TEXT_COLUMN, columns)];
}
