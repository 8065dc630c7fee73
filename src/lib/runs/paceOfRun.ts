import { type HubPace, paceOf } from '../turns/hubPace.ts';
import type { RunContext } from './runContext.ts';
import { hubOf, type RunBase } from './runRecord.ts';

/** The pace of the hub that a run is for. */
export function paceOfRun(
  { settings }: { readonly settings: Pick<RunContext['settings'], 'hubSizes'> },
  record: Pick<RunBase, 'runId' | 'hub'>,
): HubPace {
  return paceOf(settings.hubSizes.get(hubOf(record)) ?? { tier: 'S1', units: 1 });
}
