/** Whatever a run has done to a registry, the plan of its undo puts it back: runs at random on a model of a registry. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ImportMode } from '../../../src/lib/devicesFile/importMode.ts';
import type { Applied, EffectLine } from '../../../src/lib/runs/runEffects.ts';
import type { UndoneIdentity } from '../../../src/lib/undo/decideGroup.ts';
import { type PlanOptions, planUndo } from '../../../src/lib/undo/planUndo.ts';
import { createSeededRandom, type SeededRandom } from '../../scenarios/seededRandom.ts';
import { applyLine, exportModel, type Model, type ModelLine, nameOf } from './modelRegistry.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-undo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Fields = Readonly<Record<string, unknown>>;

const DEVICES = 24;
const EDGES = 6;
const idOf = (at: number) => (at < EDGES ? `edge${at}` : `d${at}`);
const key = (name: string) => Buffer.from(name.padEnd(24, '.')).toString('base64');
const sas = (name: string) => ({ type: 'sas', symmetricKey: { primaryKey: key(name), secondaryKey: key(name) } });

function randomModel(random: SeededRandom): Model {
  const model: Model = new Map();
  for (let at = 0; at < DEVICES; at++) {
    if (random.chance(0.3)) continue;
    const id = idOf(at);
    const parents = Array.from({ length: Math.min(at, EDGES) }, (_, edge) => idOf(edge)).filter((edge) =>
      model.has(edge),
    );
    const parent = parents.length > 0 && random.chance(0.5) ? random.pick(parents as [string, ...string[]]) : null;
    const base = { status: random.pick(['enabled', 'disabled']), reason: random.pick(['', 'why']) };
    const twin = {
      tags: random.pick<object>([{}, { site: at }, { a: { b: at } }]) as Fields,
      desired: random.pick<object>([{}, { rate: at }]) as Fields,
    };
    model.set(id, { ...base, ...twin, key: key(id), edge: at < EDGES, parent });
    if (at < EDGES) model.set(`${id}/$edgeAgent`, { ...NO_STATUS, ...twin, key: 'none' });
    if (random.chance(0.4)) model.set(`${id}/m`, { ...NO_STATUS, ...twin, key: key(`${id}m`) });
  }
  return model;
}
const NO_STATUS = { status: 'enabled', reason: '', edge: false, parent: null };

const MODES = ['create', 'createOrUpdate', 'update', 'updateTwin', 'delete'] as const satisfies readonly ImportMode[];

/** Lines of a run, as they were sent: what they leave out of a device that is there was filled in. */
function randomLines(random: SeededRandom, before: Model): EffectLine[] {
  const lines: EffectLine[] = [];
  const names = Array.from({ length: DEVICES }, (_, at) => [idOf(at), `${idOf(at)}/m`]).flat();
  for (const name of names.filter(() => random.chance(0.5)).sort(byKind)) {
    const [id = '', moduleId] = name.split('/');
    const there = before.get(name);
    const mode = random.pick(MODES);
    const isDevice = moduleId === undefined;
    const keys =
      there?.key !== undefined && random.chance(0.6)
        ? { symmetricKey: { primaryKey: there.key, secondaryKey: there.key }, type: 'sas' }
        : sas(`new ${name}`);
    const tags = random.pick([undefined, { v: 1 }, { site: null, v: 2 }, { a: { b: 'x' } }, { a: 3 }]);
    const parent =
      isDevice && !mode.startsWith('updateTwin') && mode !== 'delete' && random.chance(0.2)
        ? random.pick([null, 'edge0'])
        : undefined;
    const body: ModelLine = {
      id,
      ...(isDevice ? {} : { moduleId: 'm' }),
      importMode: mode,
      ...(mode === 'delete' || mode === 'updateTwin'
        ? {}
        : {
            status: random.pick(['enabled', 'disabled']),
            ...(isDevice
              ? {
                  statusReason: random.pick(['', 'new']),
                  capabilities: { iotEdge: isEdgeAfter(random, id, there?.edge) },
                }
              : {}),
            ...(random.chance(0.7) ? { authentication: keys } : {}),
          }),
      ...(tags === undefined || mode === 'delete' ? {} : { tags: mode === 'updateTwin' ? tags : withoutNulls(tags) }),
    };
    const isOwnParent = parent === id;
    lines.push({
      id,
      ...(isDevice ? {} : { moduleId: 'm' }),
      mode,
      text: JSON.stringify(body),
      ...(parent === undefined || isOwnParent ? {} : { parent }),
      outcome: 'succeeded',
      applied: random.pick<Applied>(['yes', 'yes', 'yes', 'maybe', 'no']),
    });
  }
  return lines;
}

const byKind = (a: string, b: string) => Number(a.includes('/')) - Number(b.includes('/'));
const withoutNulls = (tags: object) => Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== null));
const isEdgeAfter = (random: SeededRandom, id: string, was = id.startsWith('edge')) =>
  random.chance(0.15) ? !was : was;

/** Applies the lines of a run: those that may have been applied were, or were not. What a line meets tells what became of it. */
function run(random: SeededRandom, model: Model, lines: readonly EffectLine[]): EffectLine[] {
  const left: EffectLine[] = [];
  let made = 0;
  for (const line of lines) {
    const body = {
      ...(JSON.parse(line.text) as ModelLine),
      ...(line.parent === undefined ? {} : { parent: line.parent }),
    };
    const isThere = model.has(nameOf(line));
    const hasDevice = line.moduleId === undefined || model.has(line.id);
    const fails = line.mode === 'create' ? isThere : line.mode === 'createOrUpdate' ? false : !isThere;
    // An edge device that is not there cannot be a parent.
    const parent = line.parent != null && model.get(line.parent)?.edge !== true ? undefined : body.parent;
    const applied: Applied = fails || !hasDevice ? 'no' : line.applied;
    if (applied === 'yes' || (applied === 'maybe' && random.chance(0.5))) {
      applyLine(
        model,
        { ...body, ...(parent === undefined ? { parent: undefined } : { parent }) } as ModelLine,
        key(`hub ${made++}`),
      );
    }
    left.push({ ...line, applied });
  }
  return left;
}

async function planOf(
  {
    lines,
    before,
    live,
    way,
  }: { lines: readonly EffectLine[]; before: readonly string[]; live: readonly string[]; way: 'single' | 'export' },
  options: Partial<PlanOptions> = {},
): Promise<UndoneIdentity[]> {
  const from = (texts: readonly string[]) => ({
    async *lines() {
      yield* texts;
    },
  });
  const effects = {
    async *lines() {
      yield* lines;
    },
    preImage: { container: 'c', blobName: 'b', way, hasRelatives: true },
  };
  return Array.fromAsync(
    planUndo({ effects, before: from(before), live: from(live) }, { folder, force: false, ...options }),
  );
}

/** Applies the plan as a run would: devices, their parents, modules, and what no line can do. */
function undo(model: Model, plan: readonly UndoneIdentity[]): void {
  const lines = plan.flatMap(({ line }) => (line === undefined ? [] : [JSON.parse(line) as ModelLine]));
  const devices = lines.filter(({ moduleId }) => moduleId === undefined);
  for (const { parent: _later, ...line } of devices) applyLine(model, line, 'made by the hub');
  for (const { id, parent } of devices) {
    const there = model.get(id);
    if (there !== undefined && parent !== undefined) model.set(id, { ...there, parent });
  }
  for (const line of lines) if (line.moduleId !== undefined) applyLine(model, line, 'made by the hub');
  for (const { system } of plan) {
    if (system === undefined) continue;
    const { id, moduleId, tags, properties } = JSON.parse(system) as Required<ModelLine>;
    model.set(`${id}/${moduleId}`, { ...NO_STATUS, key: 'none', tags, desired: properties.desired ?? {} });
  }
}

const sorted = (model: Model) => Object.fromEntries([...model].sort(([a], [b]) => (a < b ? -1 : 1)));

describe('a run that is undone before anybody else has touched anything', () => {
  it.each(Array.from({ length: 150 }, (_, seed) => seed))('leaves the registry as it was (seed %i)', async (seed) => {
    const random = createSeededRandom(seed);
    const before = randomModel(random);
    const model: Model = new Map(before);
    const lines = run(random, model, randomLines(random, before));
    // A hub may leave the scope of an edge device that is gone, and a new one has a new scope.
    const later = (id: string) => (lines.some((line) => line.id === id && line.mode === 'delete') ? 2 : 1);
    const texts = { before: exportModel(before, () => 1), live: exportModel(model, later) };
    const plan = await planOf({ lines, ...texts, way: 'export' }, { buckets: random.int(1, 5) });
    expect(plan.filter(({ undo: { do: what } }) => what === 'foreign')).toEqual([]);
    undo(model, plan);
    expect(sorted(model)).toEqual(sorted(before));
    // Undone once more, there is nothing to do.
    const again = await planOf({ lines, before: texts.before, live: exportModel(model, later), way: 'export' });
    expect(again.filter(({ undo: { do: what } }) => what !== 'nothing')).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('what somebody else has changed since the run', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('is there after the undo (seed %i)', async (seed) => {
    const random = createSeededRandom(seed);
    const before = randomModel(random);
    const model: Model = new Map(before);
    const lines = run(random, model, randomLines(random, before));
    const theirs = random.some(
      [...model.keys()].filter((name) => !name.includes('$')),
      8,
    );
    for (const name of theirs) {
      const identity = model.get(name);
      if (identity !== undefined) model.set(name, { ...identity, tags: { ...identity.tags, theirs: seed } });
    }
    undo(
      model,
      await planOf({ lines, before: exportModel(before, () => 1), live: exportModel(model, () => 2), way: 'export' }),
    );
    expect(theirs.filter((name) => model.get(name)?.tags['theirs'] !== seed)).toEqual([]);
  });
});
