import { HubKeeperError } from '../errors.ts';
import { hubOf } from '../runs/runRecord.ts';
import { workError } from './workErrors.ts';
import type { WorkContext, WorkRun } from './workRun.ts';

/**
 * An alias may be given to another hub while a run goes on: what was found in one hub, and confirmed by its name, is never
 * done to another.
 *
 * @throws HubKeeperError
 */
export function demandSameHub(
  context: Pick<WorkContext, 'hub'>,
  record: Pick<WorkRun, 'runId' | 'hub' | 'snapshots' | 'request'>,
): void {
  const alias = hubOf(record);
  const { confirm } = record.request;
  const was = record.snapshots?.export?.hub ?? (typeof confirm === 'string' ? confirm : undefined);
  const name = context.hub(alias).hubName;
  if (was === undefined || was.toLowerCase() === name.toLowerCase()) return;
  throw new HubKeeperError(workError('otherHub', { was, alias, name }));
}
