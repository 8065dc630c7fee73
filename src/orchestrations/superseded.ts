import type { Task } from 'durable-functions';

/**
 * An orchestration that an earlier version began. What it had done is in the record and the container of its run, and
 * each step finds it there: it ends, whether the engine calls that completed or, for what its history holds, not
 * deterministic; and the sweep starts the run anew.
 */
// biome-ignore lint/correctness/useYield: an orchestrator is a generator, and this one has nothing to wait for.
export function* superseded(): Generator<Task, { readonly state: 'superseded' }, unknown> {
  return { state: 'superseded' };
}
