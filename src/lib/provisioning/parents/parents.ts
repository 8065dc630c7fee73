/**
 * Devices are linked to their parents once all devices are there: a hub makes the scopes that links are made of, and
 * nobody knows them before. The registry is read, the links that are missing are planned, and sent level by level.
 */

import { randomBytes } from 'node:crypto';
import { deviceOfScope } from '../../devicesFile/edgeParents.ts';
import { isOver } from '../../hubJobs/hubJob.ts';
import { HubError } from '../../registry/index.ts';
import { adoptExport } from '../../registryLines/adoptExport.ts';
import {
  type Identity,
  MOST_READ_SINGLY,
  openSnapshot,
  type Snapshot,
  type SnapshotLines,
  snapshotWay,
} from '../../registryLines/snapshot.ts';
import { takeSnapshot } from '../../registryLines/takeSnapshot.ts';
import { paceOfRun } from '../../runs/paceOfRun.ts';
import { snapshotPlace, stagingOf } from '../../runs/runContainer.ts';
import { createBlockWriter } from '../../storage/blockWriter.ts';
import { linesOf, writeLines } from '../../storage/ndjson.ts';
import { firstSentUntil } from '../again/firstSentUntil.ts';
import { type DecidedRow, parentsExport, planBlobs, rowsBlob, waveOfLevel, wavesOfPass } from '../again/parentLinks.ts';
import {
  changeWaves,
  isTimeOver,
  type ParentLinks,
  readWaveResults,
  readWaves,
  type Wave,
  writeWave,
} from '../again/waves.ts';
import { type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { encodeParentRow, type ParentRow, readParentRows } from '../check/parentRows.ts';
import { readFindings, wasApplied } from '../outcome/verdicts.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { type LinkableLine, linkLines, type ParentPlan, planParents } from './parentPlan.ts';

/** A hub shows a new identity a few seconds after it has answered that it is there. */
const SETTLE_MS = 5_000;
const MOST_PASSES = 3;

export type ParentStep =
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'job' }
  | { readonly do: 'work'; readonly wave: Wave };

/** What is to be done next for the parents of a run; undefined when nothing is. Safe to be asked again at any time. */
export async function nextParents(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
): Promise<ParentStep | undefined> {
  if (check.parents === 0) return undefined;
  const known = (await readWaves(context, record))?.parents;
  let links = known ?? (await open(context, record, check));
  for (;;) {
    if (links.state === 'ended' || links.state === 'givenUp') return undefined;
    if (record.cancelRequestedAt !== undefined) {
      await change(context, record, links, { state: 'givenUp' });
      return undefined;
    }
    const step = links.state === 'due' ? await plan(context, record, links) : await work(context, record, links);
    if (step !== undefined && 'do' in step) return step;
    links = step ?? links;
  }
}

/** Changes the pass that `links` is, and nothing if others are further. */
async function change(
  context: ProvisioningContext,
  record: ProvisionRun,
  links: ParentLinks,
  next: Partial<ParentLinks>,
): Promise<ParentLinks> {
  const state = await changeWaves(context, record, (current) => {
    const { parents } = current;
    if (parents?.attempt !== links.attempt || parents.state !== links.state) return undefined;
    return { ...current, parents: { ...parents, ...next } };
  });
  if (state.parents === undefined) throw new Error(`The parents of run ${record.runId} are gone.`);
  return state.parents;
}

// The devices to be linked -----------------------------------------------------------------------------------------------

/** Those whose line was applied: a device that the run could not create is somebody else's. */
async function open(context: ProvisioningContext, record: ProvisionRun, check: CheckResult): Promise<ParentLinks> {
  const findings = await readFindings(context, record);
  const source = checkBlobs(stagingOf(context, record.runId), check.attempt).parents;
  const applied = async function* () {
    for await (const row of readParentRows(source)) {
      const [id, parent, mode] = row;
      if (parent !== null && wasApplied({ id, mode }, findings)) yield row;
    }
  };
  const written = await writeRows(context, record, applied());
  const { itemsPerMinute: perMinute } = paceOfRun(context, record);
  const opened: ParentLinks = {
    pass: 1,
    ...written,
    state: written.rows === 0 ? 'ended' : 'due',
    openedAt: context.now().toISOString(),
    until: firstSentUntil(context, record, { count: written.rows, perMinute }),
    earlier: [],
  };
  const state = await changeWaves(context, record, (current) =>
    current.parents === undefined ? { ...current, parents: opened } : undefined,
  );
  return state.parents ?? opened;
}

async function writeRows(
  context: ProvisioningContext,
  record: ProvisionRun,
  rows: Iterable<ParentRow> | AsyncIterable<ParentRow>,
): Promise<Pick<ParentLinks, 'attempt' | 'rows' | 'way'>> {
  const attempt = randomBytes(4).toString('hex');
  // Those who have no more than so many between them are read one by one.
  const devices = new Set<string>();
  const texts = async function* () {
    for await (const row of rows) {
      for (const id of row.slice(0, 2)) if (id !== null && devices.size <= MOST_READ_SINGLY) devices.add(id);
      yield encodeParentRow(row);
    }
  };
  const count = await writeLines(rowsBlob(context, record, attempt), texts());
  return { attempt, rows: count, way: snapshotWay(devices.size) };
}

// The registry as it is, and the plan -------------------------------------------------------------------------------------

async function plan(
  context: ProvisioningContext,
  record: ProvisionRun,
  links: ParentLinks,
): Promise<ParentStep | ParentLinks> {
  const now = context.now().getTime();
  const leftMs = Date.parse(links.openedAt) + SETTLE_MS - now;
  const wait: ParentStep | undefined = leftMs > 0 ? { do: 'wait', seconds: Math.ceil(leftMs / 1000) } : undefined;
  const giveUp = (why: string): Promise<ParentLinks> => {
    context.log.log('warn', `parents are not set: ${why}`);
    return change(context, record, links, { state: 'givenUp' });
  };
  if (links.way === 'single') {
    try {
      const snapshot = await takeRelatives(context, record, links);
      if (snapshot === 'export') return await change(context, record, links, { way: 'export' });
      const registry = openSnapshot(stagingOf(context, record.runId), snapshot);
      const made = await planOf(context, record, links, registry);
      // What is not there yet may be there soon.
      if (wait !== undefined && missesSomething(made)) return wait;
      return await writePlan(context, record, links, made, registry);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (error.retryable && now < Date.parse(links.until)) return { do: 'wait', seconds: 10 };
      return giveUp(error.message);
    }
  }
  if (wait !== undefined) return wait;
  const { parents: job } = record.jobs;
  if (job === undefined || !(await isOver(context, record, job))) return { do: 'job' };
  const snapshot = await adoptExport(snapshotPlace(context, record), parentsExport(links), job);
  if ('fault' in snapshot) return giveUp(`the export of the registry ${snapshot.why}`);
  const registry = openSnapshot(stagingOf(context, record.runId), snapshot);
  return writePlan(context, record, links, await planOf(context, record, links, registry), registry);
}

function missesSomething(made: ParentPlan): boolean {
  for (const [, failure] of made.decided()) {
    if (failure === 'DeviceNotFound' || failure === 'ParentNotFound') return true;
  }
  return false;
}

async function planOf(
  context: ProvisioningContext,
  record: ProvisionRun,
  links: ParentLinks,
  registry: SnapshotLines,
): Promise<ParentPlan> {
  return planParents(readParentRows(rowsBlob(context, record, links.attempt)), registry.lines());
}

/** Devices and parents, and all edge devices above them, without their twins; those that do not exist are left out. */
async function takeRelatives(
  context: ProvisioningContext,
  record: ProvisionRun,
  { attempt }: ParentLinks,
): Promise<Snapshot | 'export'> {
  const ids = new Set<string>();
  for await (const [id, parent] of readParentRows(rowsBlob(context, record, attempt))) {
    ids.add(id);
    if (parent !== null) ids.add(parent);
  }
  const wanted = Array.from(ids, (id) => ({ id }));
  const name = `parents-registry-${attempt}`;
  return takeSnapshot(snapshotPlace(context, record), name, wanted, { twins: false, follow: parentsOfEdge });
}

function parentsOfEdge(line: LinkableLine): readonly Identity[] {
  const [scope] = line.capabilities?.iotEdge === true ? (line.parentScopes ?? []) : [];
  const parent = scope === undefined ? undefined : deviceOfScope(scope);
  return parent === undefined ? [] : [{ id: parent }];
}

/** Writes down the lines of each level, and the devices that are not to be sent. The first plan of a pass counts. */
async function writePlan(
  context: ProvisioningContext,
  record: ProvisionRun,
  links: ParentLinks,
  made: ParentPlan,
  registry: SnapshotLines,
): Promise<ParentLinks> {
  const name = randomBytes(4).toString('hex');
  const blobs = planBlobs(context, record, name);

  const decided = function* () {
    for (const row of made.decided()) yield JSON.stringify(row satisfies DecidedRow);
  };
  await writeLines(blobs.decided, decided());
  const lines = createBlockWriter(blobs.lines, Math.max(1, made.levels.length));
  for await (const { level, line } of linkLines(made, registry.lines())) {
    lines.writeLine(level, JSON.stringify(line));
    const wait = lines.drain();
    if (wait !== undefined) await wait;
  }
  await lines.commit();
  const state = made.levels.length === 0 ? 'ended' : 'planned';
  return change(context, record, links, { state, plan: name, levels: made.levels });
}

// Level by level ---------------------------------------------------------------------------------------------------------

async function work(
  context: ProvisioningContext,
  record: ProvisionRun,
  links: ParentLinks,
): Promise<ParentStep | ParentLinks> {
  const { pass, levels = [], plan: planName, until } = links;
  if (planName === undefined) throw new Error(`The links of run ${record.runId} have no plan.`);
  const state = await readWaves(context, record);
  const isLate = state === undefined || isTimeOver(context, record, state, until);
  let waves = state?.waves ?? [];
  for (const [level, count] of levels.entries()) {
    const name = waveOfLevel(pass, level);
    let wave = waves.find((known) => known.name === name);
    if (wave === undefined) {
      if (isLate) break;
      const start = levels.slice(0, level).reduce((sum, before) => sum + before, 0);
      const lines = slice(linesOf(planBlobs(context, record, planName).lines), start, count);
      wave = await writeWave(context, record, { name, links: true, until, lines });
    }
    if (wave.finishedAt === undefined && wave.lines > 0) return { do: 'work', wave };
  }
  waves = (await readWaves(context, record))?.waves ?? [];
  const again = isLate || pass === MOST_PASSES ? [] : await doubtfulRows(context, record, links, waves);
  if (again.length === 0) return change(context, record, links, { state: 'ended' });
  const written = await writeRows(context, record, again);
  return change(context, record, links, {
    pass: pass + 1,
    ...written,
    way: 'single',
    state: 'due',
    openedAt: context.now().toISOString(),
    earlier: [...links.earlier, { pass, attempt: links.attempt, plan: planName }],
  });
}

async function* slice(lines: AsyncIterable<string>, start: number, count: number): AsyncGenerator<string> {
  let at = 0;
  for await (const line of lines) {
    if (at >= start + count) return;
    if (at >= start) yield line;
    at += 1;
  }
}

/** Devices that were changed while they were linked, or of which nothing is known: a few can be looked at once more. */
async function doubtfulRows(
  context: ProvisioningContext,
  record: ProvisionRun,
  links: ParentLinks,
  waves: readonly Wave[],
): Promise<ParentRow[]> {
  const ids = new Set<string>();
  for (const wave of wavesOfPass(waves, links.pass)) {
    for await (const { line, state } of readWaveResults(context, record, wave)) {
      if (state.is !== 'succeeded' && state.is !== 'warned' && state.is !== 'failed') ids.add(line.id);
      if (ids.size > MOST_READ_SINGLY) return [];
    }
  }
  if (ids.size === 0) return [];
  const rows: ParentRow[] = [];
  for await (const row of readParentRows(rowsBlob(context, record, links.attempt))) {
    if (ids.has(row[0])) rows.push(row);
  }
  return rows;
}
