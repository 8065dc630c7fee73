/** A hub as it is, and what it is to come to, as the two sides of a comparison. */

import { hasLackOfParents, liveParentScopes, parentScopesOf, withParents } from '../registryExtras/parentScopes.ts';
import { type FindManagedBy, isMadeByHub, type ModuleOrigin } from '../registryExtras/systemModules.ts';
import type { Change, Side } from '../registryLines/compareSnapshots.ts';
import { openSnapshot, type Snapshot } from '../registryLines/snapshot.ts';
import { stagingOf } from '../runs/runContainer.ts';
import { hubOf } from '../runs/runRecord.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { managedByOf, type WantedRegistry } from './wanted.ts';

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
  const hub = context.hub(hubOf(record));
  const liveScopes = (await hasLackOfParents(liveLines())) ? await liveParentScopes(hub, context) : new Map();
  if (liveScopes === undefined) throw new Error('The hub did not tell all parents of its edge devices in time.');
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
