/** What failed in work that changes a hub, as text for people. */

import type { ItemOutcome } from '../../src/lib/registryExtras/hubWork.ts';
import { formatCount } from './format.ts';
import { outcomeStyle, outcomeText, type Paint } from './outcomeText.ts';
import { renderReasons } from './reasonsText.ts';
import type { ReportedReason } from './runReport.ts';
import { wrapFinding } from './wrap.ts';

export interface WorkTroubles {
  /** Of the lines. */
  readonly reasons: readonly ReportedReason[];
  /** Of what no line does. */
  readonly failed: readonly ItemOutcome[];
}

const WHAT: Readonly<Record<ItemOutcome['what'], string>> = {
  systemModules: 'edge modules of',
  systemModuleTwin: 'twin of',
  managedBy: 'managedBy of',
  configuration: 'configuration',
};
const SHOWN = 10;

export function renderTroubles(
  { reasons, failed }: WorkTroubles,
  { columns, paint }: { readonly columns?: number | undefined; readonly paint: Paint },
): readonly string[] {
  const hidden = failed.length - SHOWN;
  return [
    ...renderReasons(reasons, columns, paint),
    ...(failed.length === 0 ? [] : ['']),
    ...failed.slice(0, SHOWN).flatMap((item) => renderItem(item, columns, paint)),
    ...(hidden <= 0 ? [] : [paint('dim', `  … and ${formatCount(hidden)} more: see rest.ndjson of the report`)]),
  ];
}

function renderItem(
  { what, id, moduleId, outcome, code, message, action }: ItemOutcome,
  columns: number | undefined,
  paint: Paint,
): readonly string[] {
  const head = paint(outcomeStyle(outcome) ?? 'dim', [outcomeText(outcome), code].filter(Boolean).join(': '));
  const name = moduleId === undefined ? id : `${id}/${moduleId}`;
  const why = [message, action].filter((part) => part !== undefined).join(' ');
  return [`  ${head}, ${WHAT[what]} ${name}`, ...(why === '' ? [] : wrapFinding(why, 4, columns))];
}
