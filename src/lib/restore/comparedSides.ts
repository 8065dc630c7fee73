/** A hub as it is, and what it is to come to, as the two sides of a comparison. */

import { collectExtras, EXTRAS_START } from '../registryExtras/collectExtras.ts';
import { type FindManagedBy, isMadeByHub, type ModuleOrigin } from '../registryExtras/systemModules.ts';
import type { Change, Side } from '../registryLines/compareSnapshots.ts';
import { openSnapshot, type Snapshot } from '../registryLines/snapshot.ts';
import { stagingOf } from '../runs/runContainer.ts';
import { hubOf } from '../runs/runRecord.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { lacksParent, managedByOf, parentScopesOf, type WantedRegistry, withParents } from './wanted.ts';

/** A page has a thousand edge devices, and hubs answer 20 a minute at least. */
const LONGEST_QUERY_MS = 5 * 60_000;

export interface ComparedSides {
  readonly live: Side;
  readonly wanted: Side;
  readonly wantedLines: () => AsyncIterable<string>;
  readonly managedBy: FindManagedBy;
  isMadeByHub(change: Change & { readonly moduleId: string }, text: string): boolean;
}

/** Parents that an export does not tell are found out, of both sides. */
export async function comparedSides(
  context: WorkContext,
  record: WorkRun,
  { live, wanted }: { readonly live: Snapshot; readonly wanted: WantedRegistry },
): Promise<ComparedSides> {
  const managedBy = await managedByOf(wanted);
  const liveLines = () => openSnapshot(stagingOf(context, record.runId), live).lines();
  const wantedScopes = (await hasLackOfParents(wanted.lines())) ? await parentScopesOf(wanted.extras()) : new Map();
  const liveScopes = (await hasLackOfParents(liveLines())) ? await liveParentScopes(context, record) : new Map();
  const wantedLines = () => withParents(wanted.lines(), wantedScopes);
  return {
    live: { keys: live.keys, lines: () => withParents(liveLines(), liveScopes), verified: true, bytes: live.bytes },
    wanted: { keys: wanted.keys, lines: wantedLines, verified: true, bytes: wanted.bytes },
    wantedLines,
    managedBy,
    isMadeByHub: ({ id, moduleId }, text) =>
      isMadeByHub(JSON.parse(text) as ModuleOrigin, () => managedBy({ id, moduleId })),
  };
}

async function hasLackOfParents(lines: AsyncIterable<string>): Promise<boolean> {
  for await (const text of lines) if (lacksParent(text)) return true;
  return false;
}

/** The hub is asked for what its export does not tell. */
async function liveParentScopes(context: WorkContext, record: WorkRun) {
  const limits = {
    atMost: 1_000,
    until: new Date(context.now().getTime() + LONGEST_QUERY_MS),
    now: context.now,
    sleep: context.sleep,
  };
  const step = await collectExtras(context.hub(hubOf(record)), [], EXTRAS_START, limits);
  if (step.stoppedBy !== undefined) throw step.stoppedBy;
  if (!step.position.done) throw new Error('The hub did not tell all parents of its edge devices in time.');
  return parentScopesOf(step.lines);
}
