/** Counts of a plan, in the form that scripts read. */

import { defined } from '../defined.ts';
import type { ConfigurationChange } from '../registryExtras/configurationChanges.ts';
import type { Change, ComparisonCounts } from '../registryLines/compareSnapshots.ts';
import type { PlannedChange } from './changesToLines.ts';
import type { Kept, KeptIdentities } from './keptIdentities.ts';
import type { NotFound } from './only.ts';
import { modeDoes, type RestoreMode } from './restoreMode.ts';

type Counts = Readonly<Record<'create' | 'change' | 'delete', number>>;

export interface PlanCountsOfMode extends Counts {
  readonly unchanged: number;
  readonly rejected: number;
  /** Of these, how many are modules. */
  readonly modules: Counts & { readonly unchanged: number };
  /** Differences that the mode leaves as they are. */
  readonly left: Counts;
  /** What the mode would delete and does not, for the backup may have it, and why; absent: there is none. */
  readonly kept?: Kept;
  /** Names that were given and are in neither side; absent: there is none. */
  readonly notFound?: NotFound;
  /** Keys of so many identities were not compared, for one side does not have them. */
  readonly keysUnknown: number;
  readonly configurations: Counts;
  /** What no hub takes back, of how many identities that are made anew. */
  readonly lost: {
    /** The hub makes a new generation id; times and counters of the device begin anew, and queued messages are gone. */
    readonly generationIds: number;
    readonly reportedProperties: number;
    /** Their keys are not in the backup. */
    readonly keys: number;
  };
}

export interface PlanTally {
  add(change: Change, planned: PlannedChange): void;
  counts(
    compared: ComparisonCounts,
    configurations: { readonly changes: readonly ConfigurationChange[]; readonly refused: readonly unknown[] },
    notFound: NotFound | undefined,
  ): { readonly lines: number; readonly ofMode: PlanCountsOfMode };
}

export function planTally(mode: RestoreMode, { note }: Pick<KeptIdentities, 'note'>): PlanTally {
  let lines = 0;
  const kept = { all: 0, modules: 0 };
  const lost = { generationIds: 0, reportedProperties: 0, keys: 0 };
  return {
    add({ change, moduleId }, planned) {
      if (planned.is === 'kept') {
        kept.all += 1;
        if (moduleId !== undefined) kept.modules += 1;
      }
      if (change === 'created') lost.generationIds += 1;
      if (planned.is !== 'line') return;
      lines += 1;
      if (planned.losesReported) lost.reportedProperties += 1;
      if (planned.getsNewKeys) lost.keys += 1;
    },
    counts(compared, { changes, refused }, notFound) {
      const all = { create: compared.created, change: compared.changed, delete: compared.deleted - kept.all };
      const modules = {
        create: compared.createdModules,
        change: compared.changedModules,
        delete: compared.deletedModules - kept.modules,
      };
      const of = (...kinds: readonly ConfigurationChange['change'][]) =>
        changes.filter(({ change }) => kinds.includes(change)).length;
      const ofMode: PlanCountsOfMode = {
        ...only(all, (change) => modeDoes(mode, change)),
        unchanged: compared.unchanged,
        rejected: compared.rejected + refused.length,
        modules: { ...only(modules, (change) => modeDoes(mode, change)), unchanged: compared.unchangedModules },
        left: only(all, (change) => !modeDoes(mode, change)),
        ...(kept.all === 0 ? {} : { kept: note(kept.all) }),
        ...defined({ notFound }),
        keysUnknown: compared.keysUnknown,
        configurations: { create: of('create'), change: of('update', 'replace'), delete: of('delete') },
        lost,
      };
      return { lines, ofMode };
    },
  };
}

function only(counts: Counts, isMeant: (change: Change['change']) => boolean): Counts {
  return {
    create: isMeant('created') ? counts.create : 0,
    change: isMeant('changed') ? counts.change : 0,
    delete: isMeant('deleted') ? counts.delete : 0,
  };
}

/** Devices, modules and configurations that a plan deletes. */
export function deletesOf(counts: Pick<PlanCountsOfMode, 'delete' | 'configurations'>): number {
  return counts.delete + counts.configurations.delete;
}

/** Whether a plan changes anything, or something in it has to be looked at. */
export function planHasFindings({
  configurations,
  rejected,
  notFound,
  ...counts
}: Counts & Pick<PlanCountsOfMode, 'configurations' | 'rejected' | 'notFound'>): boolean {
  const changes = [counts, configurations].some((each) => each.create + each.change + each.delete > 0);
  return changes || rejected > 0 || notFound !== undefined;
}
