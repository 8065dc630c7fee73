/** A plan that the app makes: a hub compared with a backup. */

import type { PlanCountsOfMode } from '../../src/lib/restore/planTally.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { renderHubPlan, type ShownPlan } from '../render/hubPlanText.ts';
import type { Output } from '../render/output.ts';
import type { Connection } from './connection.ts';
import { readPlan } from './planFile.ts';

/** Changes that are shown; all of them go into the file. */
const SHOWN_CHANGES = 20;

/**
 * What a run of kind `plan` found; undefined when it came to no plan.
 *
 * @throws CliError when `out` cannot be written
 */
export async function readHubPlan(
  connection: Connection,
  { result }: WorkRun,
  out: string | undefined,
): Promise<ShownPlan | undefined> {
  if (result === undefined) return undefined;
  const { backup, mode, changes } = result as {
    readonly backup: string;
    readonly mode: string;
    readonly changes: string;
  };
  const plan = await readPlan(connection, changes, { most: SHOWN_CHANGES, out });
  return { title: `From the hub to ${backup} (${mode})`, counts: result as unknown as PlanCountsOfMode, plan, out };
}

export function showHubPlan(plan: ShownPlan, output: Output): void {
  for (const line of renderHubPlan(plan, output)) output.print(line);
}
