/** What the check has to say of a file as a whole, as text for people. */

import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { formatCount } from './format.ts';
import type { Paint } from './outcomeText.ts';
import { wrapFinding } from './wrap.ts';

const SHOWN = 8;

/** @param columns width of the terminal; undefined: lines are as long as they are */
export function renderFileWarnings(
  { check }: Pick<ProvisionRun, 'check'>,
  columns: number | undefined,
  paint: Paint,
): readonly string[] {
  const warnings = check?.fileWarnings ?? [];
  if (warnings.length === 0) return [];
  const hidden = warnings.length - SHOWN;
  return [
    '',
    `  ${paint('yellow', 'warnings of the file')}`,
    ...warnings.slice(0, SHOWN).flatMap(({ message }) => wrapFinding(message, 4, columns)),
    ...(hidden > 0 ? [paint('dim', `    … and ${formatCount(hidden)} more: see report.json`)] : []),
  ];
}
