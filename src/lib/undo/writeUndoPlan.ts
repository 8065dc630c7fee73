/**
 * The plan of an undo, written as what people read of it, and as what will be applied: lines of a devices file, and rows of
 * what no line does.
 */

import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';

import type { Said } from '../codeText.ts';
import { defined } from '../defined.ts';
import type { ConfigurationChange } from '../registryExtras/configurationChanges.ts';
import { planAllSystemModules } from '../registryExtras/systemModules.ts';
import type { ChangeRecord, PlanCounts } from '../registryLines/changeForms.ts';
import { openSnapshot } from '../registryLines/snapshot.ts';
import { openStaging } from '../runs/runContainer.ts';
import type { ModuleManager, RunEffects } from '../runs/runEffects.ts';
import { hubOf } from '../runs/runRecord.ts';
import { ensureContainer } from '../storage/ensureContainer.ts';
import { linesOf, rowsOf, writeLines } from '../storage/ndjson.ts';
import { RESULTS_CONTAINER } from '../storage/storage.ts';
import { snapshotIn } from '../work/exportStages.ts';
import { type RestPart, type RestPartName, restOf } from '../work/restParts.ts';
import { resultFolder } from '../work/resultFolder.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import type { UndoneIdentity } from './decideGroup.ts';
import { planUndo, type RegistryLines } from './planUndo.ts';
import { type ConfigurationsUndo, undoConfigurations } from './undoConfigurations.ts';
import type { AskedUndo } from './undoRequest.ts';
import { undoNotes } from './undoTexts.ts';
import { type UndoDetail, writeUndo } from './writeUndo.ts';

export interface UndoPlanCounts extends PlanCounts {
  /** Changed by somebody else since the run: left alone. */
  readonly foreign: number;
  readonly configurations: Readonly<Record<'create' | 'change' | 'delete' | 'foreign', number>>;
}

export interface WrittenUndo {
  /** Of a devices file, in the container of the run; absent when there is none to apply. Holds keys. */
  readonly lines?: string;
  readonly rest: readonly RestPart[];
  readonly counts: UndoPlanCounts;
  /** What cannot return, and what nobody can tell. */
  readonly notes: readonly Said<string>[];
  /** Blob of all changes, without keys, in the container of results. */
  readonly changes: string;
}

/** What scripts read of an undo, and of the plan of one. */
export interface UndoResult extends UndoPlanCounts, Pick<WrittenUndo, 'notes' | 'changes'> {
  /** As it was asked for. */
  readonly run: string;
  readonly force: boolean;
}

/** What the plan says of one identity: a change, or that it is left alone for somebody else has changed these fields. */
export type UndoRow = Omit<ChangeRecord, 'change'> & { readonly change: ChangeRecord['change'] | 'foreign' };

export interface UndoPlanInput {
  readonly effects: RunEffects;
  readonly force: boolean;
}

/** The lines of the pre-image of a run; undefined: it could only create. */
export function preImageLines(
  { storage }: Pick<WorkContext, 'storage'>,
  { preImage }: Pick<RunEffects, 'preImage'>,
): RegistryLines | undefined {
  if (preImage === undefined) return undefined;
  return { lines: () => openSnapshot(storage.container(preImage.container), preImage).lines() };
}

function managersOf({ storage }: Pick<WorkContext, 'storage'>, { preImage }: Pick<RunEffects, 'preImage'>) {
  if (preImage?.managers === undefined) return undefined;
  return rowsOf<ModuleManager>(storage.container(preImage.container).getBlockBlobClient(preImage.managers));
}

/** Plans, and writes what came of it. Done again it writes anew under other names. */
export async function writeUndoPlan(
  context: WorkContext,
  record: WorkRun,
  { effects, force }: UndoPlanInput,
): Promise<WrittenUndo> {
  const staging = await openStaging(context, record.runId);
  const results = context.storage.container(RESULTS_CONTAINER);
  await ensureContainer(results);
  const live = snapshotIn(record);
  const held = await context.hub(hubOf(record)).listConfigurations();
  const past = effects.configurations.flatMap(({ before, sent }) => (before === undefined ? [sent] : [before, sent]));
  const sources = {
    effects,
    configurations: [...held, ...past],
    live: openSnapshot(context.storage.container(live.container), live),
    ...defined({ before: preImageLines(context, effects), managers: managersOf(context, effects) }),
  };
  const tally = createTally();
  const planned = planUndo(sources, { folder: tmpdir(), force });
  const files = await writeUndo(staging, 'undo', tally.passing(planned));

  const rest: RestPart[] = [];
  const addRest = async (part: RestPartName, rows: AsyncIterable<object> | Iterable<object>): Promise<void> => {
    const blobName = `rest-${part}-${randomBytes(4).toString('hex')}.ndjson`;
    const items = await writeLines(staging.getBlockBlobClient(blobName), asText(rows));
    if (items > 0) rest.push({ part, blobName, items });
  };
  const { system, managers, details } = files;
  if (system !== undefined) {
    await addRest(
      'systemModules',
      planAllSystemModules(() => linesOf(staging.getBlockBlobClient(system))),
    );
  }
  if (managers !== undefined) await addRest('managedBy', rowsOf<object>(staging.getBlockBlobClient(managers)));
  const configurations = undoConfigurations(effects.configurations, held, force);
  await addRest('configurations', configurations.changes);

  const changes = `${resultFolder(record)}/plan.ndjson`;
  const rows = details === undefined ? [] : rowsOf<UndoDetail>(staging.getBlockBlobClient(details));
  await writeLines(results.getBlockBlobClient(changes), asText(toldRows(rows, configurations)));
  const ofConfigurations = configurationCounts(configurations);
  const deletedConfigurations = ofConfigurations.delete;
  const { preImage } = effects;
  return {
    ...defined({ lines: files.lines }),
    rest,
    counts: { ...tally.counts(), keysUnknown: files.counts.unknownKeys, configurations: ofConfigurations },
    notes: undoNotes({
      counts: files.counts,
      force,
      preImage,
      deletedConfigurations,
      rest: await restOfUndone(context, record),
    }),
    changes,
  };
}

/** What the run that is undone did beside the lines that another one has applied for it. */
async function restOfUndone({ runs }: WorkContext, { request }: WorkRun): Promise<readonly RestPart[]> {
  const { run, of } = request as unknown as AskedUndo;
  return run === of ? [] : restOf((await runs.read(run)) ?? {});
}

type Does = UndoneIdentity['undo']['do'];

/** Counts what passes, devices and modules apart. */
function createTally() {
  const all: Record<Does, number> = { nothing: 0, remove: 0, restore: 0, recreate: 0, foreign: 0 };
  const modules = { ...all };
  const inPlan = ({ recreate, restore, remove, nothing }: Readonly<Record<Does, number>>) => ({
    create: recreate,
    change: restore,
    delete: remove,
    unchanged: nothing,
  });
  return {
    async *passing(plan: AsyncIterable<UndoneIdentity>): AsyncGenerator<UndoneIdentity, void> {
      for await (const undone of plan) {
        all[undone.undo.do] += 1;
        if (undone.moduleId !== undefined) modules[undone.undo.do] += 1;
        yield undone;
      }
    },
    counts: () => ({ ...inPlan(all), rejected: 0, modules: inPlan(modules), foreign: all.foreign }),
  };
}

function configurationCounts({ changes, foreign }: ConfigurationsUndo): UndoPlanCounts['configurations'] {
  const of = (...kinds: readonly ConfigurationChange['change'][]) =>
    changes.filter(({ change }) => kinds.includes(change)).length;
  return { create: of('create'), change: of('update', 'replace'), delete: of('delete'), foreign: foreign.length };
}

const CHANGE_OF = { remove: 'deleted', restore: 'changed', recreate: 'created', foreign: 'foreign' } as const;

async function* toldRows(
  details: AsyncIterable<UndoDetail> | Iterable<UndoDetail>,
  { changes, foreign }: ConfigurationsUndo,
): AsyncGenerator<object, void> {
  for await (const { id, moduleId, do: does, fields = [] } of details) {
    yield { id, ...defined({ moduleId }), change: CHANGE_OF[does], fields } satisfies UndoRow;
  }
  for (const { change, id, ...more } of changes) {
    yield { configuration: id, change, ...('fields' in more ? { fields: more.fields } : {}) };
  }
  for (const { id, fields } of foreign) yield { configuration: id, change: 'foreign', fields };
}

async function* asText(rows: AsyncIterable<object> | Iterable<object>): AsyncGenerator<string, void> {
  for await (const row of rows) yield JSON.stringify(row);
}
