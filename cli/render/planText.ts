/** What a dry run says would happen, as text for people. */

import type { RunPlan } from '../../src/lib/provisioning/run/provisionRun.ts';
import { formatCount } from './format.ts';
import type { Paint } from './outcomeText.ts';
import type { Style } from './output.ts';

/** A count for each thing that would happen; nothing for a run that has no plan. */
export function renderPlan(plan: RunPlan | undefined, paint: Paint): readonly string[] {
  if (plan === undefined) return [];
  const { effects, disabled, lackingParent } = plan;
  const all: readonly (readonly [text: string, count: number, style?: Style])[] = [
    ['would be created', effects.created],
    ['would be overwritten', effects.overwritten],
    ['  enabled now, then disabled', disabled, 'yellow'],
    ['would get a new twin', effects.twinUpdated],
    ['would be deleted', effects.deleted],
    ['not there, nothing to delete', effects.unchanged],
    ['would fail: exists already', effects.failsExists, 'red'],
    ['would fail: does not exist', effects.failsMissing, 'red'],
    ['would fail: its device is missing', effects.failsDeviceMissing, 'red'],
    ['would fail: has another ETag', effects.failsEtag, 'red'],
    ['would lack a parent: it is missing', lackingParent, 'red'],
  ];
  const rows = all.filter(([, count]) => count > 0);
  const width = Math.max(5, ...rows.map(([, count]) => formatCount(count).length));
  return [
    '',
    ...rows.map(([text, count, style]) => {
      const line = `  ${text.padEnd(36)}${formatCount(count).padStart(width)}`;
      return style === undefined ? line : paint(style, line);
    }),
  ];
}

/** The same in the form of other plans. Lines that overwrite count as changes, whatever they write. */
export function planCountsOfRun({ effects }: RunPlan, rejected: number) {
  const { created, overwritten, twinUpdated, deleted, unchanged } = effects;
  const fail = effects.failsExists + effects.failsMissing + effects.failsDeviceMissing + effects.failsEtag;
  return { create: created, change: overwritten + twinUpdated, delete: deleted, unchanged, rejected, fail };
}
