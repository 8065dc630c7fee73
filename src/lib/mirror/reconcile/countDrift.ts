import type { DriftCounts } from '../notes/lastReconcile.ts';
import type { RepairedFinding } from './repairPiece.ts';

export const NO_DRIFT: DriftCounts = { missing: 0, extra: 0, different: 0, repaired: 0, leftAlone: 0 };

export function countDrift(findings: readonly Pick<RepairedFinding, 'drift' | 'action'>[]): DriftCounts {
  const counts = { ...NO_DRIFT };
  for (const { drift, action } of findings) {
    if (drift === undefined) continue;
    if (action === 'leftAlone') counts.leftAlone += 1;
    else counts[drift] += 1;
    if (action === 'repaired') counts.repaired += 1;
  }
  return counts;
}

export function addDrift(one: DriftCounts, other: DriftCounts): DriftCounts {
  return {
    missing: one.missing + other.missing,
    extra: one.extra + other.extra,
    different: one.different + other.different,
    repaired: one.repaired + other.repaired,
    leftAlone: one.leftAlone + other.leftAlone,
  };
}

/** Whether the mirror was not as the registry. */
export function hasDrift({ missing, extra, different }: Pick<DriftCounts, 'missing' | 'extra' | 'different'>): boolean {
  return missing + extra + different > 0;
}
