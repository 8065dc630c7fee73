/** What a dry run says would happen: in counts, and of each line in words. */

import type { Comparison, PlannedLine } from '../../registryLines/compareLines.ts';
import type { Effect } from '../../registryLines/whatWouldHappen.ts';
import type { RunPlan } from '../run/provisionRun.ts';

/** @throws Error when the effects do not add up to the lines that the check accepted */
export function runPlanOf({ effects, disabled, lackingParent }: Comparison, accepted: number): RunPlan {
  const sum = Object.values(effects).reduce((total, count) => total + count, 0);
  if (sum !== accepted) throw new Error(`The plan does not add up: ${sum} of ${accepted} lines.`);
  return { effects, disabled, lackingParent };
}

const SAYS: Readonly<Record<Effect, string>> = {
  created: 'it would be created',
  overwritten: 'it exists and would be overwritten',
  twinUpdated: 'it exists, and its twin would be updated',
  deleted: 'it exists and would be deleted',
  unchanged: 'it does not exist, so nothing would be deleted',
  failsExists: 'it would fail, because it exists already',
  failsMissing: 'it would fail, because it does not exist',
  failsDeviceMissing: 'it would fail, because its device does not exist, and the file does not create it',
  failsEtag: 'it would fail, because the registry has another ETag',
};

/** The reason that the report gives for a line of a dry run. */
export function plannedText({ effect, disables, lacksParent }: PlannedLine): string {
  const disabled = disables ? ' It is enabled now and would be disabled.' : '';
  const parent = lacksParent ? ' Its parent does not exist, and the file does not create it.' : '';
  return `Dry run: ${SAYS[effect]}.${disabled}${parent}`;
}
