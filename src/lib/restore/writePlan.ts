/**
 * The plan of a restore: a hub compared with what it is to come to, written as what people read of it, and as what will be
 * applied: lines of a devices file, and rows of the rest.
 */

import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';

import { defined } from '../defined.ts';
import { createIdentityTable } from '../devicesFile/identityTable.ts';
import { planAllSystemModules } from '../registryExtras/systemModules.ts';
import { type Change, compareSnapshots } from '../registryLines/compareSnapshots.ts';
import { isIdentityLine, openSnapshot, type Snapshot } from '../registryLines/snapshot.ts';
import { openStaging, stagingOf } from '../runs/runContainer.ts';
import { hubOf } from '../runs/runRecord.ts';
import { createBlockWriter } from '../storage/blockWriter.ts';
import { ensureContainer } from '../storage/ensureContainer.ts';
import { writeLines } from '../storage/ndjson.ts';
import { RESULTS_CONTAINER } from '../storage/storage.ts';
import type { RestPart, RestPartName } from '../work/restParts.ts';
import { resultFolder } from '../work/resultFolder.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { createLinePlanner, type PlannedChange } from './changesToLines.ts';
import { type ComparedSides, comparedSides } from './comparedSides.ts';
import { keptIdentities } from './keptIdentities.ts';
import type { NamedDevices } from './only.ts';
import { plannedRow, rejectedRow } from './planRows.ts';
import { type PlanCountsOfMode, planTally } from './planTally.ts';
import type { RestoreMode } from './restoreMode.ts';
import { configurationRows, managedByRows } from './restRows.ts';
import type { WantedRegistry } from './wanted.ts';

export interface PlanInput {
  readonly live: Snapshot;
  readonly wanted: WantedRegistry;
  readonly mode: RestoreMode;
  /** Configurations are left alone where only some are meant. */
  readonly named: NamedDevices;
  /** Nothing will be applied: what holds keys and is for that alone is not written. Default: false. */
  readonly toShow?: boolean;
}

export interface WrittenPlan {
  /** Of a devices file; absent when there is none to apply. Its blob lies in the container of the run, and holds keys. */
  readonly lines?: { readonly blobName: string; readonly count: number };
  readonly rest: readonly RestPart[];
  readonly counts: PlanCountsOfMode;
  /** Blob of all changes, without keys, in the container of results. */
  readonly changes: string;
}

/** Compares, and writes what came of it. Done again it writes anew under other names, and the same. */
export async function writePlan(context: WorkContext, record: WorkRun, input: PlanInput): Promise<WrittenPlan> {
  const { mode, named, toShow = false } = input;
  const { only } = named;
  const staging = await openStaging(context, record.runId);
  const results = context.storage.container(RESULTS_CONTAINER);
  await ensureContainer(results);
  const name = randomBytes(4).toString('hex');
  const rest: RestPart[] = [];
  const addRest = async (part: RestPartName, rows: AsyncIterable<object> | Iterable<object>): Promise<void> => {
    if (toShow) return;
    const blobName = `rest-${part}-${name}.ndjson`;
    const items = await writeLines(staging.getBlockBlobClient(blobName), asText(rows));
    if (items > 0) rest.push({ part, blobName, items });
  };

  const changes = `${resultFolder(record)}/plan.ndjson`;
  const told = createBlockWriter(results.getBlockBlobClient(changes));
  const linesBlob = staging.getBlockBlobClient(`lines-${name}.txt`);
  const lines = createBlockWriter(linesBlob);
  const kept = keptIdentities();
  const tally = planTally(mode, kept);
  const compared = await comparedSides(context, record, input);
  const edgeDevices = createIdentityTable();
  let hasDeployments = false;
  const comparison = compareSnapshots(compared.live, compared.wanted, {
    folder: tmpdir(),
    ...defined({ only }),
    rejected: (line) => {
      kept.add(line);
      told.writeLine(0, JSON.stringify(rejectedRow(line)));
    },
  });
  const plan = createLinePlanner({ mode, isMadeByHub: compared.isMadeByHub, keeps: kept.keeps });
  for await (const change of comparison.changes()) {
    const planned = plan(change);
    tally.add(change, planned);
    if (planned.is === 'line' && !toShow) lines.writeLine(0, planned.text);
    if (planned.is !== 'left') told.writeLine(0, JSON.stringify(plannedRow(change, planned)));
    if (comesByDeployment(change, planned, mode)) {
      edgeDevices.claim(change.id, 1);
      hasDeployments = true;
    }
    const wait = lines.drain() ?? told.drain();
    if (wait !== undefined) await wait;
  }
  const isWanted = (id: string) => edgeDevices.find(id) !== 0;
  if (hasDeployments) await addRest('systemModules', systemModuleRows(compared, isWanted));
  const live = () => openSnapshot(stagingOf(context, record.runId), input.live).lines();
  await addRest('managedBy', managedByRows(input.wanted.extras(), { mode, live, ...defined({ only }) }));
  const configurations = await plannedConfigurations(context, record, input);
  await addRest('configurations', configurations.changes);
  for (const { change, id, ...more } of configurations.changes) {
    const fields = 'fields' in more ? { fields: more.fields } : {};
    told.writeLine(0, JSON.stringify({ configuration: id, change, ...fields }));
  }
  for (const refused of configurations.refused) told.writeLine(0, JSON.stringify(refused));
  await told.commit();
  const counts = tally.counts(comparison.counts(), configurations, named.notFound());
  const hasLines = counts.lines > 0 && !toShow;
  if (hasLines) await lines.commit('text/plain; charset=utf-8');
  return {
    ...(hasLines ? { lines: { blobName: linesBlob.name, count: counts.lines } } : {}),
    rest,
    counts: counts.ofMode,
    changes,
  };
}

function comesByDeployment({ change, moduleId }: Change, { is }: PlannedChange, mode: RestoreMode): boolean {
  if (is !== 'hubMade' || change === 'deleted') return false;
  // Only with a new device: else the content of what is there would be written over.
  return mode !== 'missing' || moduleId === '$edgeAgent';
}

async function* systemModuleRows(
  { wantedLines, managedBy }: ComparedSides,
  isWanted: (id: string) => boolean,
): AsyncGenerator<object, void> {
  const open = async function* () {
    for await (const text of wantedLines()) {
      if (!isIdentityLine(text) || !text.includes('"moduleId"')) continue;
      if (isWanted((JSON.parse(text) as { readonly id: string }).id)) yield text;
    }
  };
  yield* planAllSystemModules(open, managedBy);
}

async function plannedConfigurations(context: WorkContext, record: WorkRun, { wanted, mode, named }: PlanInput) {
  if (named.only !== undefined) return { changes: [], refused: [] };
  const found = await wanted.configurations();
  const live = await context.hub(hubOf(record)).listConfigurations();
  return { changes: configurationRows(found, live, mode), refused: found.refused };
}

async function* asText(rows: AsyncIterable<object> | Iterable<object>): AsyncGenerator<string, void> {
  for await (const row of rows) yield JSON.stringify(row);
}
