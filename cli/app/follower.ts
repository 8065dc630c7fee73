import type { RunRecord } from '../../src/lib/runKinds.ts';
import { isFinal } from '../../src/lib/runs/runRecord.ts';
import type { RunStore } from '../../src/lib/runs/runStore.ts';

/**
 * The run that works for another at this moment, whose record moves in the place of that one's: which applies its lines, or
 * makes the backup before a delete-all.
 */
export async function followerOf(
  runs: Pick<RunStore<RunRecord>, 'read'>,
  record: RunRecord | undefined,
): Promise<RunRecord | undefined> {
  if (record === undefined || record.kind === 'provision' || isFinal(record.state)) return undefined;
  const { phase, appliedBy, notes } = record;
  const runId = phase === 'apply' ? appliedBy : phase === 'export' ? notes?.['backedUpBy'] : undefined;
  if (typeof runId !== 'string') return undefined;
  const follower = await runs.read(runId);
  return follower === undefined || isFinal(follower.state) ? undefined : follower;
}
