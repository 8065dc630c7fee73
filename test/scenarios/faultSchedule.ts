/**
 * Random fault schedules: a hub with devices, a dropped file, settings of the hub, and what goes wrong when. Everything
 * follows from the seed; when exactly a fault meets a request does not, for the processes run freely.
 */

import type { FaultSpec } from '../../local/hub/faults.ts';
import type { HubSettings } from '../../local/hub/hubOptions.ts';
import { createSeededRandom, type SeededRandom } from './seededRandom.ts';

export interface FaultSchedule {
  readonly seed: number;
  readonly settings: Partial<HubSettings>;
  /** How many more identities fit than the hub has before, and the margin that import jobs keep. */
  readonly quota?: { readonly room: number; readonly margin: number };
  /** What the hub has before, as items of bulk calls in mode `create`. */
  readonly devices: readonly ScheduledDevice[];
  readonly modules: readonly ScheduledDevice[];
  /** Lines of the file. Those with `is` are known to be kept out. */
  readonly lines: readonly ScheduledLine[];
  readonly metadata: Readonly<Record<string, string>>;
  /** What this run does with the name of the hub, where the file deletes much. */
  readonly confirms: boolean;
  readonly faults: readonly ScheduledFault[];
  /** How long a job of somebody else runs when the file lands, ms. */
  readonly foreignJobMs?: number;
  /** When the host is killed and started again, ms after the drop. */
  readonly kills: readonly number[];
  readonly suspend?: { readonly afterMs: number; readonly forMs: number };
  /** `hung`: as soon as one of its jobs has stood still for a moment. */
  readonly cancel?: number | 'hung';
  /** Every outcome has to be that of a hub without trouble: whatever goes wrong passes. */
  readonly passes: boolean;
  /** Lines whose device the hub refuses for good. */
  readonly refused: readonly string[];
  /** When all faults come to an end. */
  readonly healsAfterMs?: number;
  /** The export that reads the registry back may fail: only then may lines stay unconfirmed. */
  readonly unreadable: boolean;
}

export interface ScheduledDevice {
  readonly id: string;
  readonly moduleId?: string;
  readonly [key: string]: unknown;
}

export interface ScheduledLine {
  readonly text: string;
  /** The eTag that the device has when the file is dropped goes in place of `ETAG`. */
  readonly etagOf?: string;
  readonly is?: 'rejected' | 'skipped';
}

export interface ScheduledFault {
  readonly afterMs: number;
  readonly spec: FaultSpec;
}

const TRANSIENT = ['ThrottlingException', 'ServerError', 'ServiceUnavailable', 'ServerBusy'] as const;
/** Of these a hub can say that it failed when it did not. */
const UNCLEAR = ['ServerError', 'ServiceUnavailable', 'ServerBusy'] as const;
const READS = ['getDevice', 'getModule', 'getTwin', 'getModuleTwin', 'queryDevices'] as const;
/** Mostly modes that fit, for devices that are there and for those that are not. */
const MODES_THERE = [
  'createOrUpdate',
  'createOrUpdate',
  'createOrUpdate',
  'update',
  'update',
  'updateTwin',
  'updateTwin',
  'delete',
  'delete',
  'deleteIfMatchETag',
  'updateIfMatchETag',
  'createOrUpdateIfMatchETag',
  'create',
] as const;
const MODES_NEW = [
  'create',
  'create',
  'create',
  'create',
  'createOrUpdate',
  'createOrUpdate',
  'createOrUpdate',
  'createOrUpdateIfMatchETag',
  'update',
  'delete',
] as const;

export function makeSchedule(seed: number): FaultSchedule {
  const random = createSeededRandom(seed);
  // Most are small; now and then more than is read one by one, so that jobs export.
  const large = random.chance(0.2);
  const devices = someDevices(random, large ? random.int(220, 420) : random.int(0, 60));
  const modules = devices
    .filter(() => random.chance(0.15))
    .flatMap(({ id }) =>
      ['m1', 'm2'].slice(0, random.int(1, 2)).map((moduleId) => ({ id, moduleId, ...identityFields(random, true) })),
    );
  const lines = someLines(random, devices, modules, large ? random.int(210, 400) : random.int(1, 60));
  const ids = lines.flatMap(({ text, is }) => (is === undefined ? [(JSON.parse(text) as ScheduledDevice).id] : []));

  const trouble: Trouble = {
    faults: [],
    refused: [],
    passes: true,
    hangs: false,
    unreadable: false,
  };
  for (let count = random.int(0, 4); count > 0; count -= 1) addTrouble(random, trouble, ids);

  const nearQuota = random.chance(0.15);
  const quota = { room: random.int(0, 20), margin: random.int(0, 30) };
  const settings = someSettings(random);
  // A job that hangs and whose start had an unclear end cannot be told from somebody else's by a hub without echo, and
  // nobody cancels that: it is waited for as long as a job may take, which is too long for here.
  if (trouble.hangs && !settings.jobEcho) {
    trouble.faults = trouble.faults.filter(
      ({ spec }) => spec['operation'] !== 'createJob' && spec['operation'] !== '*',
    );
  }
  const cancels = trouble.hangs ? 'hung' : random.chance(0.07) ? random.int(0, 9_000) : undefined;
  const dryRun = random.chance(0.03);
  return {
    seed,
    settings,
    ...(nearQuota ? { quota } : {}),
    devices,
    modules,
    lines,
    metadata: {
      hubkeeper: 'test',
      retryminutes: trouble.stuck && random.chance(0.8) ? '0' : '1',
      ...(random.chance(0.2) ? { importmode: random.pick(['create', 'update', 'createOrUpdate']) } : {}),
      ...(random.chance(0.15) ? { missingkeys: 'regenerate' } : {}),
      ...(dryRun ? { dryrun: 'true' } : {}),
    },
    confirms: random.chance(0.8),
    faults: trouble.faults,
    ...(random.chance(0.12) ? { foreignJobMs: random.int(500, 5_000) } : {}),
    kills: random.chance(0.2) ? [random.int(0, 8_000)] : [],
    ...(random.chance(0.08) ? { suspend: { afterMs: random.int(0, 6_000), forMs: random.int(500, 2_500) } } : {}),
    ...(cancels === undefined ? {} : { cancel: cancels }),
    passes: trouble.passes && !nearQuota && cancels === undefined && !dryRun,
    refused: trouble.refused,
    ...(trouble.healsAfterMs === undefined ? {} : { healsAfterMs: trouble.healsAfterMs }),
    unreadable: trouble.unreadable,
  };
}

const key = (random: SeededRandom) =>
  Buffer.from(Array.from({ length: 32 }, () => random.int(0, 255))).toString('base64');
const thumbprint = (random: SeededRandom) =>
  Array.from({ length: 40 }, () => random.int(0, 15).toString(16).toUpperCase()).join('');

function authentication(random: SeededRandom): object {
  const kind = random.next();
  if (kind < 0.7) return { type: 'sas', symmetricKey: { primaryKey: key(random), secondaryKey: key(random) } };
  if (kind < 0.85) {
    return {
      type: 'selfSigned',
      x509Thumbprint: { primaryThumbprint: thumbprint(random), secondaryThumbprint: thumbprint(random) },
    };
  }
  return { type: 'certificateAuthority' };
}

function twinFields(random: SeededRandom): object {
  return {
    ...(random.chance(0.6)
      ? {
          tags: {
            site: random.pick(['Oslo', 'Faro', 'Kōbe']),
            n: random.int(0, 9),
            // Now and then, so that what overwrites has something to take away.
            ...(random.chance(0.3) ? { place: { floor: random.int(1, 9), room: random.pick(['a', 'b']) } } : {}),
          },
        }
      : {}),
    ...(random.chance(0.5)
      ? {
          properties: {
            desired: {
              interval: random.int(1, 99),
              ...(random.chance(0.7) ? { on: random.chance(0.5) } : {}),
              ...(random.chance(0.3) ? { deep: { a: random.int(1, 9), c: true } } : {}),
            },
          },
        }
      : {}),
  };
}

/** Merges into what `twinFields` makes, and takes away of it. */
function twinPatch(random: SeededRandom): object {
  const value = () => random.pick([null, random.int(10, 19), { a: 1, b: null }]);
  return {
    ...(random.chance(0.7) ? { tags: { [random.pick(['site', 'n', 'new'])]: value(), place: value() } } : {}),
    ...(random.chance(0.5)
      ? { properties: { desired: { [random.pick(['interval', 'on', 'new'])]: value(), deep: value() } } }
      : {}),
  };
}

function identityFields(random: SeededRandom, forModule: boolean): object {
  return {
    ...(random.chance(0.7) ? { authentication: authentication(random) } : {}),
    ...(forModule
      ? {}
      : {
          ...(random.chance(0.4) ? { statusReason: random.pick(['stolen', 'in repair', '']) } : {}),
          ...(random.chance(0.1) ? { capabilities: { iotEdge: random.chance(0.7) } } : {}),
        }),
    ...twinFields(random),
  };
}

function someDevices(random: SeededRandom, count: number): ScheduledDevice[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `d${index}`,
    status: random.chance(0.2) ? 'disabled' : 'enabled',
    ...identityFields(random, false),
  }));
}

function someLines(
  random: SeededRandom,
  devices: readonly ScheduledDevice[],
  modules: readonly ScheduledDevice[],
  count: number,
): ScheduledLine[] {
  const existing = random.some(devices, Math.ceil(count * random.next()));
  const fresh = Array.from({ length: Math.max(1, count - existing.length) }, (_, index) => ({ id: `new-${index}` }));
  const targets: ScheduledDevice[] = [...existing, ...fresh].map(({ id }) => ({ id }));
  for (const { id, moduleId } of random.some(modules, Math.ceil(count * 0.1))) {
    if (moduleId !== undefined) targets.push({ id, moduleId });
  }
  for (const { id } of random.some(targets, Math.ceil(count * 0.1))) targets.push({ id, moduleId: 'extra' });

  const there = new Set([...devices, ...modules].map(({ id, moduleId }) => `${id}/${moduleId ?? ''}`));
  // Files of a single mode are what people have most.
  const single = random.chance(0.3)
    ? { there: random.pick(['createOrUpdate', 'update', 'delete'] as const), fresh: 'create' as const }
    : undefined;

  const lines: ScheduledLine[] = [];
  const taken = new Set<string>();
  for (const { id, moduleId } of random.shuffled(targets)) {
    const name = `${id}/${moduleId ?? ''}`;
    const again = taken.has(name);
    taken.add(name);
    const mode = there.has(name)
      ? (single?.there ?? random.pick(MODES_THERE))
      : (single?.fresh ?? random.pick(MODES_NEW));
    const namesMode = mode !== 'createOrUpdate' || random.chance(0.5);
    const matches = mode.endsWith('IfMatchETag');
    const line = {
      id,
      ...(moduleId === undefined ? {} : { moduleId }),
      ...(namesMode ? { importMode: mode } : {}),
      ...(matches ? { eTag: random.chance(0.7) ? 'ETAG' : 'AAAAAAAAAAA=' } : {}),
      ...(moduleId === undefined && random.chance(0.5)
        ? { status: random.pick(['enabled', 'enabled', 'disabled']) }
        : {}),
      ...(mode.startsWith('delete') ? {} : identityFields(random, moduleId !== undefined)),
      ...(mode === 'updateTwin' ? twinPatch(random) : {}),
    };
    const etagOf = moduleId === undefined ? id : `${id} / ${moduleId}`;
    lines.push({ text: JSON.stringify(line), etagOf, ...(again ? { is: 'rejected' as const } : {}) });
    if (random.chance(0.03)) lines.push({ text: JSON.stringify({ ...line, tags: { n: 100 } }), is: 'rejected' });
    if (random.chance(0.03)) lines.push({ text: random.pick(INVALID), is: 'rejected' });
    if (random.chance(0.01)) lines.push({ text: `{"id":"${id}","moduleId":"$edgeAgent"}`, is: 'skipped' });
  }
  return withoutContradictions(lines);
}

/** A module of a device that is deleted by the same file can only be deleted: all else depends on what comes first. */
function withoutContradictions(lines: readonly ScheduledLine[]): ScheduledLine[] {
  const parsed = lines.map(({ text }) => (text.startsWith('{"id":"') && text.endsWith('}') ? JSON.parse(text) : {}));
  const deletes = ({ importMode }: ScheduledDevice) => String(importMode).startsWith('delete');
  const deleted = new Set(
    (parsed as ScheduledDevice[]).filter((line) => line.moduleId === undefined && deletes(line)).map(({ id }) => id),
  );
  const dropped = new Set<string>();
  return lines.filter((_, index) => {
    const line = parsed[index] as ScheduledDevice;
    if (line.moduleId === undefined || !deleted.has(line.id)) return true;
    const name = `${line.id}/${line.moduleId}`;
    // Without the first of two lines the second would be no duplicate.
    if (!deletes(line)) dropped.add(name);
    return !dropped.has(name);
  });
}

const INVALID = [
  'no JSON',
  '{"id":"cut-off","tags":{',
  '{"importMode":"create"}',
  '{"id":"bad/id"}',
  '{"id":"mode","importMode":"maybe"}',
  '{"id":"status","status":"on"}',
  '{"id":"key","authentication":{"type":"sas","symmetricKey":{"primaryKey":"a","secondaryKey":"b"}}}',
] as const satisfies readonly [string, ...string[]];

function someSettings(random: SeededRandom): Partial<HubSettings> {
  const tier = random.pick(['none', 'none', 'S1', 'S2', 'S3'] as const);
  return {
    jobEcho: random.chance(0.5),
    jobEnqueueMs: random.int(0, 500),
    jobRunMs: random.pick([0, 0, 500, 2_000]),
    bulkErrorCode: random.pick(['name', 'number']),
    importTwin: random.pick(['replace', 'merge']),
    // The small tiers let 100 through in a minute: time is scaled so that a run is over in seconds.
    ...(tier === 'none' ? {} : { tier, units: random.int(1, 2), timeScale: tier === 'S3' ? 5 : 60 }),
    ...(random.chance(0.25) ? { readLagMs: random.int(100, 1_500) } : {}),
    ...(random.chance(0.25) ? { queryLagMs: random.int(100, 2_000) } : {}),
    ...(random.chance(0.25) ? { statisticsLagMs: random.int(100, 3_000) } : {}),
    ...(random.chance(0.15) ? { replyDelayMs: random.int(5, 60) } : {}),
  };
}

interface Trouble {
  faults: ScheduledFault[];
  readonly refused: string[];
  passes: boolean;
  hangs: boolean;
  unreadable: boolean;
  healsAfterMs?: number;
  /** Some lines keep the run trying to the end of its time. */
  stuck?: boolean;
}

/** One kind of trouble after the other, each drawn as often as the others. */
function addTrouble(random: SeededRandom, trouble: Trouble, ids: readonly string[]): void {
  const add = (spec: FaultSpec, afterMs = random.chance(0.7) ? 0 : random.int(0, 6_000)) =>
    trouble.faults.push({ afterMs, spec });
  const when = random.pick(['before', 'after'] as const);
  const code = when === 'after' ? random.pick(UNCLEAR) : random.pick(TRANSIENT);
  const few = random.int(1, 4);
  const refusal = random.pick<Partial<FaultSpec>>([{ status: 429 }, { status: 500 }, { status: 503 }, { drop: true }]);
  // With 429 and 503 a hub says that it did nothing; only other trouble can hide that it did.
  const unclear = random.pick<Partial<FaultSpec>>([
    { status: 500, when: 'after' },
    { drop: true, when: 'after' },
    { drop: true, when: 'before' },
    refusal,
  ]);
  const kinds: readonly [() => void, ...(() => void)[]] = [
    () => add({ operation: 'importLine', code, rate: random.next(), transient: random.int(1, 2), when }, 0),
    () =>
      add(
        { operation: 'importLine', code: random.pick(UNCLEAR), rate: random.next() * 0.5, transient: 1, when: 'after' },
        0,
      ),
    () => {
      // Refused for good in each way in which it can be sent.
      const refused = random.some(ids, random.int(1, 5));
      if (refused.length === 0) return;
      const spec = { code: 'ArgumentInvalid', ids: refused } as const;
      for (const operation of ['importLine', 'bulkItem', 'putDevice', 'putModule']) add({ ...spec, operation }, 0);
      trouble.refused.push(...refused);
    },
    () => add({ operation: 'bulkItem', code, rate: random.next(), transient: random.int(1, 2), when }, 0),
    () => {
      // Without trouble in the job there would be nothing to send by bulk calls.
      add({ operation: 'importLine', code, rate: 0.5, transient: 1, when }, 0);
      add({ operation: 'bulkRegistry', count: few, ...unclear }, 0);
    },
    () => {
      add({ operation: 'importLine', code, rate: 0.5, transient: 1 }, 0);
      add({ operation: 'bulkItem', withoutTwin: true, rate: 0.3 }, 0);
    },
    () => {
      // The hub is in trouble with these for longer than the run tries: it must say what came of them all the same.
      const stuck = random.some(ids, random.int(1, 5));
      if (stuck.length === 0) return;
      for (const operation of ['importLine', 'bulkItem']) add({ operation, code, ids: stuck, when }, 0);
      trouble.passes = false;
      trouble.stuck = true;
    },
    () => {
      add({ operation: 'importJob', outcome: 'fail', afterLines: random.int(0, 60), count: random.int(1, 2) }, 0);
      trouble.passes = false;
    },
    () => {
      add({ operation: 'importJob', outcome: 'noLog', count: 1 }, 0);
      trouble.passes = false;
    },
    () => {
      add({ operation: 'importJob', outcome: 'hang', afterLines: random.int(0, 60), count: 1 }, 0);
      trouble.passes = false;
      trouble.hangs = true;
    },
    () => {
      add({ operation: 'exportJob', outcome: random.pick(['fail', 'noLog'] as const), count: 1 }, 0);
      trouble.passes = false;
      trouble.unreadable = true;
    },
    () => {
      add({ operation: 'exportJob', outcome: 'hang', count: 1 }, 0);
      trouble.passes = false;
      trouble.hangs = true;
      trouble.unreadable = true;
    },
    () => {
      add({ operation: 'createJob', count: random.int(1, 2), ...unclear }, 0);
      // Whose job it was is not always to be told.
      if (unclear.when === 'after') trouble.passes = false;
    },
    () => add({ operation: 'getJob', count: few, ...refusal }),
    () => add({ operation: 'listJobs', count: few, ...refusal }),
    () => add({ operation: random.pick(READS), count: few, ...refusal }),
    () => add({ operation: 'deviceStatistics', count: few, ...refusal }),
    () => add({ operation: random.pick(['patchTwin', 'patchModuleTwin', 'cancelJob']), count: few, ...refusal }),
    () => add({ operation: '*', delayMs: random.int(20, 400), rate: 0.3 }),
    () => add({ operation: '*', count: random.int(3, 12), rate: 0.3, ...refusal }),
    () => {
      // Nothing can be read for a good while.
      const afterMs = random.int(500, 9_000);
      for (const operation of [...READS, 'createJob', 'listJobs']) add({ operation, ...refusal }, afterMs);
      add({ operation: 'importLine', code, rate: 0.3, transient: 1, when }, 0);
      trouble.healsAfterMs = random.int(10_000, 30_000);
      trouble.passes = false;
    },
  ];
  random.pick(kinds)();
}
