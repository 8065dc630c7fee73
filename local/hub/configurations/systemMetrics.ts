import type { IdentityStore } from '../registry/identityStore.ts';
import type { ConfigurationRow } from './configurationStore.ts';
import { parseTargetCondition } from './targetCondition.ts';

interface TwinCounts {
  targeted: number;
  applied: number;
}

/** How many twins each configuration targets and is applied to, by its id. */
export type CountsById = ReadonlyMap<string, Readonly<TwinCounts>>;

export function countTwins(store: Pick<IdentityStore, 'configurationCounts'>): CountsById {
  const byId = new Map<string, TwinCounts>();
  for (const { configurations, twins } of store.configurationCounts()) {
    for (const [id, { status }] of Object.entries<{ status: string }>(JSON.parse(configurations))) {
      const counts = byId.get(id) ?? { targeted: 0, applied: 0 };
      counts.targeted += twins;
      if (status === 'Applied') counts.applied += twins;
      byId.set(id, counts);
    }
  }
  return byId;
}

/** The metrics that a hub makes for a configuration: queries by name, and how many twins each finds. */
export function systemMetrics(row: ConfigurationRow, counts: CountsById) {
  const { targeted: targetedCount, applied: appliedCount } = counts.get(row.id) ?? { targeted: 0, applied: 0 };
  const { content, targetCondition } = row.document;
  const { text } = parseTargetCondition(targetCondition, content);
  // An empty condition targets nothing.
  const condition = text ?? 'false';
  const applied = `configurations.[[${row.id}]].status = 'Applied'`;
  if ('modulesContent' in content) {
    const agents = `select deviceId from devices.modules where moduleId = '$edgeAgent' and ${applied}`;
    const reported = `${agents} and properties.desired.$version = properties.reported.lastDesiredVersion`;
    return {
      // No edge runtime reports anything here.
      results: { targetedCount, appliedCount, reportedSuccessfulCount: 0, reportedFailedCount: 0 },
      queries: {
        targetedCount: `select deviceId from devices where capabilities.iotEdge = true${condition && ` and (${condition})`}`,
        appliedCount: agents,
        reportedSuccessfulCount: `${reported} and properties.reported.lastDesiredStatus.code = 200`,
        reportedFailedCount: `${reported} and properties.reported.lastDesiredStatus.code != 200`,
      },
    };
  }
  const source =
    'moduleContent' in content ? 'select deviceId, moduleId from devices.modules' : 'select deviceId from devices';
  return {
    results: { targetedCount, appliedCount },
    queries: {
      targetedCount: `${source}${condition && ` where ${condition}`}`,
      appliedCount: `${source} where ${applied}`,
    },
  };
}
