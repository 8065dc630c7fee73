/** A plan that the app makes: a hub compared with a backup, or with how it was before a run. */

import { planHasFindings } from '../../src/lib/restore/planTally.ts';
import { isNotFound } from '../../src/lib/storage/storageErrors.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import type { HubPlanResult, ShownPlan } from '../render/hubPlanText.ts';
import { renderHubPlan } from '../render/hubPlanText.ts';
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
  { result: found, hub = '' }: WorkRun,
  out: string | undefined,
): Promise<ShownPlan | undefined> {
  if (found === undefined) return undefined;
  const result = found as unknown as HubPlanResult;
  const now = new Date();
  return { result, hub, now, plan: await readPlan(connection, result.changes, { most: SHOWN_CHANGES, out }), out };
}

/** Of a run of kind `plan` that has ended, for whoever looks at it later; nothing once its changes were removed by age. */
export async function laterHubPlan(connection: Connection, record: WorkRun): Promise<ShownPlan | undefined> {
  if (record.kind !== 'plan') return undefined;
  try {
    return await readHubPlan(connection, record, undefined);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return undefined;
  }
}

export function showHubPlan(plan: ShownPlan, output: Output): void {
  for (const line of renderHubPlan(plan, output)) output.print(line);
}

/** Whether there is something to do, or to look at. */
export function hasHubFindings({ result }: ShownPlan): boolean {
  const left = 'run' in result ? result.foreign + result.configurations.foreign : 0;
  return left > 0 || planHasFindings(result);
}
