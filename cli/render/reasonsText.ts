/** Why lines ended as they did, as text for people: equal reasons together. */

import type { Outcome } from '../../src/lib/runs/runRecord.ts';
import { formatCount, formatPlural } from './format.ts';
import { outcomeStyle, outcomeText, type Paint } from './outcomeText.ts';
import type { ReportedReason } from './runReport.ts';
import { wrapFinding } from './wrap.ts';

/** What a person has to look at, first what the hub refused: rejections could be had from a check. */
const SHOWN: readonly Outcome[] = ['failed', 'unconfirmed', 'rejected', 'succeededWithWarning'];
const REASONS_SHOWN = 10;

/** @param columns width of the terminal; undefined: lines are as long as they are */
export function renderReasons(
  reasons: readonly ReportedReason[],
  columns: number | undefined,
  paint: Paint,
): readonly string[] {
  const wanted = SHOWN.flatMap((outcome) =>
    reasons.filter((reason) => reason.outcome === outcome).toSorted((a, b) => b.count - a.count),
  );
  if (wanted.length === 0) return [];
  const hidden = wanted.slice(REASONS_SHOWN);
  const lines = hidden.reduce((sum, { count }) => sum + count, 0);
  return [
    '',
    ...wanted.slice(0, REASONS_SHOWN).flatMap((reason) => renderReason(reason, columns, paint)),
    ...(hidden.length === 0
      ? []
      : [
          paint(
            'dim',
            `  … and ${formatPlural(lines, 'line')} for ${formatPlural(hidden.length, 'more reason')}: see the report`,
          ),
        ]),
  ];
}

function renderReason(reason: ReportedReason, columns: number | undefined, paint: Paint): readonly string[] {
  const { outcome, code, count, line, deviceId, moduleId } = reason;
  const identity = deviceId === undefined ? '' : ` ${moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`}`;
  const what = paint(outcomeStyle(outcome) ?? 'dim', `${outcomeText(outcome)}: ${code}`);
  const place = `line ${line}${identity}`;
  const head = count === 1 ? `${what}, ${place}` : `${formatCount(count)} × ${what}, e.g. ${place}`;
  const why = [reason.reason, reason.action].filter((part) => part !== undefined).join(' ');
  return [`  ${head}`, ...(why === '' ? [] : wrapFinding(why, 4, columns))];
}
