import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { isFinal } from '../../src/lib/runs/runRecord.ts';
import { assertAddsUp, type ReportRow, type TestStack, withStack } from '../helpers/stack.ts';
import { type FaultSchedule, makeSchedule, type ScheduledDevice } from './faultSchedule.ts';
import { readRegistry } from './readRegistry.ts';
import { type DroppedLine, isDelete, judge, naturalOutcomes, readDrop } from './registryOracle.ts';

export interface ScheduleResult {
  readonly seed: number;
  /** None when all is well. */
  readonly problems: readonly string[];
  readonly outcomes?: ProvisionRun['outcomes'];
  readonly state?: string;
  readonly seconds: number;
  /** The run did not end: nothing else can be tried on this stack. */
  readonly hangs: boolean;
}

/** A run that takes longer than this hangs. Its longest honest part: a minute of retries, and what is verified then. */
const HANGS_AFTER_MS = 150_000;

/** Settings of the hub that a schedule may change, as they are without one. */
const PLAIN_SETTINGS = {
  jobEnqueueMs: 100,
  jobRunMs: 0,
  jobRate: 0,
  jobEcho: false,
  maxDevices: 1_000_000_000,
  quotaMargin: 100,
  bulkErrorCode: 'name',
  importTwin: 'replace',
  tier: 'none',
  units: 1,
  timeScale: 1,
  readLagMs: 0,
  queryLagMs: 0,
  statisticsLagMs: 0,
  replyDelayMs: 0,
} as const;

/** Settings of the app that make the waits short. */
export const SCHEDULE_STACK = { settings: { DROP_SETTLE_SECONDS: '0', HUB_TIER: 'S3' } } as const;

/**
 * Runs schedules on `stacks` stacks at a time and returns what is wrong with each. A stack is used again until a run hangs
 * on it. Every seed is printed; a schedule with problems is printed whole.
 */
export async function runSchedules(seeds: readonly number[], stacks: number): Promise<ScheduleResult[]> {
  const left = [...seeds];
  const results: ScheduleResult[] = [];
  const work = async () => {
    while (left.length > 0) {
      const unkind = left[0] ?? 1;
      await withStack({ ...SCHEDULE_STACK, unkind }, async (stack) => {
        for (;;) {
          const seed = left.shift();
          if (seed === undefined) return;
          const schedule = makeSchedule(seed);
          const result = await runSchedule(stack, schedule);
          results.push(result);
          tell(result, schedule);
          // One that is looked at alone is looked at closely.
          if (seeds.length === 1 && result.problems.length > 0) console.log(await stack.hostLog());
          if (result.hangs) return;
        }
      });
    }
  };
  await Promise.all(Array.from({ length: stacks }, work));
  return results;
}

function tell({ seed, state, outcomes, seconds, problems }: ScheduleResult, schedule: FaultSchedule): void {
  const counts = Object.entries(outcomes ?? {}).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  const verdict = problems.length === 0 ? 'ok' : 'WRONG';
  console.log(`seed ${seed}: ${verdict}, ${state ?? 'no end'}, ${counts.join(', ')}, ${seconds.toFixed(1)} s`);
  if (problems.length === 0) return;
  const { devices, modules, lines, ...rest } = schedule;
  console.log(
    [
      ...problems.slice(0, 20).map((problem) => `  ${problem}`),
      `  schedule: ${JSON.stringify(rest)}`,
      `  hub: ${devices.length} devices, ${modules.length} modules; file: ${lines.length} lines`,
      `  again: FAULT_SEED=${seed} FAULT_COUNT=1 npm run test:faults`,
    ].join('\n'),
  );
}

/** Runs one schedule on a stack that others may have used before. */
export async function runSchedule(stack: TestStack, schedule: FaultSchedule): Promise<ScheduleResult> {
  const started = performance.now();
  const { seed } = schedule;
  const end = (problems: readonly string[], record?: ProvisionRun, hangs = false): ScheduleResult => ({
    seed,
    problems,
    ...(record === undefined ? {} : { state: record.state, outcomes: record.outcomes }),
    seconds: (performance.now() - started) / 1000,
    hangs,
  });

  await admin(stack, 'POST', '/reset');
  await admin(stack, 'PATCH', '/options', PLAIN_SETTINGS);
  await fill(stack, schedule.devices);
  // Items of one call may not name a device twice.
  for (const moduleId of ['m1', 'm2']) {
    await fill(
      stack,
      schedule.modules.filter((module) => module.moduleId === moduleId),
    );
  }
  const before = readRegistry(stack.data);
  const file = schedule.lines
    .map(({ text, etagOf }) => `${text.replace('"ETAG"', JSON.stringify(before.get(etagOf ?? '')?.eTag ?? 'AAAA'))}\n`)
    .join('');
  const { quota } = schedule;
  await admin(stack, 'PATCH', '/options', {
    ...schedule.settings,
    ...(quota === undefined ? {} : { maxDevices: before.size + quota.room, quotaMargin: quota.margin }),
  });
  // What was written just before a run is there for nobody yet to read: no run could know of it.
  await sleep(schedule.settings.readLagMs ?? 0);
  if (schedule.foreignJobMs !== undefined) {
    await admin(stack, 'POST', '/jobs', { type: 'export', durationMs: schedule.foreignJobMs });
  }
  const early = schedule.faults.filter(({ afterMs }) => afterMs === 0).map(({ spec }) => spec);
  if (early.length > 0) await admin(stack, 'POST', '/faults', early);

  const hubName = /HostName=([^;]+)/.exec(stack.connectionString)?.[1] ?? '';
  const metadata = { ...schedule.metadata, ...(schedule.confirms ? { confirm: hubName } : {}) };
  const blobName = `seed-${seed}-${Math.floor(performance.now())}/devices.txt`;
  await stack.drop(blobName, file, metadata);

  const over = new AbortController();
  const meanwhile = [...events(stack, schedule, blobName, over.signal)];
  const record = await finalRecord(stack, blobName, over.signal);
  over.abort();
  await Promise.all(meanwhile);
  if (record === undefined) {
    const last = await stack.recordOf(blobName);
    return end([`not over after ${HANGS_AFTER_MS / 1000} s; the record: ${JSON.stringify(last)}`], last, true);
  }

  const problems: string[] = [];
  try {
    assertAddsUp(record);
  } catch (error) {
    problems.push(String(error));
  }
  // Cancelled before its lines were read: nothing was sent, and there is no line to report on.
  if (record.state === 'cancelled' && record.check === undefined && record.jobs.import === undefined) {
    const changed = !isDeepStrictEqual(readRegistry(stack.data), before);
    return end(changed ? ['the registry has changed, though no line was read'] : [], record);
  }
  const rows = record.report?.csv === undefined ? [] : await stack.rows(record);
  if (rows.length === 0) problems.push('the run has no report.csv');
  const importMode = schedule.metadata['importmode'] ?? 'createOrUpdate';
  const missingKeys = schedule.metadata['missingkeys'] === 'regenerate' ? 'regenerate' : 'keep';
  const after = readRegistry(stack.data);
  const judgement = judge({ before, after, file, rows, importMode, missingKeys });
  problems.push(...judgement.contradictions);
  for (const [outcome, count] of Object.entries(judgement.outcomes)) {
    const told = record.outcomes?.[outcome as keyof typeof record.outcomes];
    if (told !== count) problems.push(`the record counts ${told} ${outcome}, report.csv ${count}`);
  }
  // What is left when the time for retries is up, is left.
  const inTime = performance.now() - started < 60_000 && schedule.metadata['retryminutes'] !== '0';
  problems.push(
    ...unexpectedOutcomes(
      { ...schedule, passes: schedule.passes && inTime },
      { before, lines: readDrop(file, importMode), rows, record },
    ),
  );
  // Nothing can tell a device that was made and lost its twin from one without a twin that was there before.
  const untold = rows.filter(({ code }) => code === 'existsOtherwise').length;
  if (judgement.outcomes.unconfirmed > untold && !schedule.unreadable) {
    const codes = new Set(rows.flatMap(({ outcome, code }) => (outcome === 'unconfirmed' ? [code] : [])));
    problems.push(`${judgement.outcomes.unconfirmed} lines are unconfirmed (${[...codes].join(', ')})`);
  }
  if (quota !== undefined && inTime && schedule.cancel === undefined && after.size < before.size + quota.room) {
    const refused = rows.filter(({ outcome, code }) => outcome === 'failed' && code === 'IotHubQuotaExceeded').length;
    if (refused > 0) problems.push(`${refused} lines failed for the quota, but the hub has room for more`);
  }
  problems.push(...(await problemsOfHub(stack, schedule)));
  return end(problems, record);
}

/** Lines that came to something else than they should, where the schedule leaves no doubt about what that is. */
function unexpectedOutcomes(
  schedule: FaultSchedule,
  run: {
    readonly before: ReturnType<typeof readRegistry>;
    readonly lines: ReturnType<typeof readDrop>;
    readonly rows: readonly ReportRow[];
    readonly record: ProvisionRun;
  },
): string[] {
  const { rows, record } = run;
  const problems: string[] = [];
  const known = new Map(schedule.lines.map(({ is }, index) => [index + 1, is]));
  const readable = [...run.lines].flatMap(([number, line]): DroppedLine[] =>
    line === undefined || known.get(number) !== undefined ? [] : [line],
  );
  const natural = naturalOutcomes(run.before, readable, schedule.refused);
  const refusedWhole = record.error?.code === 'confirmationNeeded' || record.error?.code === 'notConfirmed';
  for (const { line, outcome, code } of rows) {
    const number = Number(line);
    const expected = known.get(number) ?? natural.get(number);
    const got = outcome === 'succeededWithWarning' ? 'succeeded' : outcome;
    const isKnown = known.get(number) !== undefined;
    if (isKnown ? got !== expected : got === 'rejected')
      problems.push(`line ${number}: ${got} ${code}, not ${expected}`);
    else if (!isKnown && schedule.passes && !refusedWhole && expected !== undefined && got !== expected) {
      // Sent twice or verified, it is as the line asks; whether it was so before, nobody can tell.
      const { mode = '' } = run.lines.get(number) ?? {};
      const asAsked = got === 'succeeded' && (code === 'readBack' || (isDelete(mode) && expected === 'unchanged'));
      const isUntold = code === 'existsOtherwise';
      if (!asAsked && !isUntold)
        problems.push(`line ${number}: ${got} ${code}, but without lasting trouble it is ${expected}`);
    }
  }
  return problems;
}

async function problemsOfHub(stack: TestStack, { cancel, faults }: FaultSchedule): Promise<string[]> {
  const problems: string[] = [];
  const state = (await admin(stack, 'GET', '/state')) as HubAdminState;
  if (state.jobs.overlapped) problems.push('two jobs were active on the hub at the same time');
  const active = state.jobs.list.filter(({ endedMs, foreign }) => endedMs === null && !foreign);
  // An export whose start got no reply cannot be told from those of others, so a cancel leaves it alone.
  const unknown = cancel !== undefined && faults.some(({ spec }) => /^(createJob|\*)$/.test(spec.operation));
  if (active.length > 0 && !(unknown && active[0]?.type === 'export'))
    problems.push(`a job is still ${active[0]?.status} after the end of the run`);
  if (state.activity.largestBulkCall > 100) problems.push(`a bulk call had ${state.activity.largestBulkCall} items`);
  return problems;
}

interface HubAdminState {
  readonly jobs: {
    readonly overlapped: boolean;
    readonly list: readonly {
      readonly type: string;
      readonly status: string;
      readonly foreign: boolean;
      readonly startedMs: number | null;
      readonly endedMs: number | null;
    }[];
  };
  readonly activity: { readonly largestBulkCall: number };
}

/** What happens while the run goes on. None of it fails: the run may be over at any moment. */
function* events(
  stack: TestStack,
  schedule: FaultSchedule,
  blobName: string,
  over: AbortSignal,
): Generator<Promise<void>> {
  const at = (ms: number, action: () => Promise<unknown>): Promise<void> =>
    sleep(ms, undefined, { signal: over }).then(
      async () => {
        await action();
      },
      () => undefined,
    );
  const control = async (verb: string) => {
    // The host may be down, or the run may not be there yet.
    for (let tries = 0; tries < 100 && !over.aborted; tries += 1) {
      const run = await stack.recordOf(blobName);
      if (run !== undefined) {
        const reply = await fetch(`${stack.apiUrl}/runs/${run.runId}/${verb}`, { method: 'POST' }).catch(
          () => undefined,
        );
        if (reply?.status === 202 || (reply?.status === 409 && verb !== 'suspend')) return;
      }
      await sleep(200);
    }
  };
  for (const { afterMs, spec } of schedule.faults) {
    if (afterMs > 0) yield at(afterMs, () => admin(stack, 'POST', '/faults', spec));
  }
  const { healsAfterMs } = schedule;
  if (healsAfterMs !== undefined) yield at(healsAfterMs, () => admin(stack, 'DELETE', '/faults'));
  for (const afterMs of schedule.kills) {
    yield at(afterMs, async () => {
      await stack.killHost();
      await stack.restartHost();
    });
  }
  const { suspend, cancel } = schedule;
  if (suspend !== undefined) {
    yield at(suspend.afterMs, async () => {
      await control('suspend');
      await sleep(suspend.forMs);
      await control('resume');
    });
  }
  if (typeof cancel === 'number') yield at(cancel, () => control('cancel'));
  if (cancel === 'hung') {
    yield at(1_000, async () => {
      const patience = (schedule.settings.jobRunMs ?? 0) + 2_000;
      while (!over.aborted) {
        const { jobs } = (await admin(stack, 'GET', '/state')) as HubAdminState;
        const hung = jobs.list.some(
          ({ foreign, startedMs, endedMs }) =>
            !foreign && startedMs !== null && endedMs === null && Date.now() - startedMs > patience,
        );
        if (hung) await control('cancel');
        await sleep(hung ? 3_000 : 500, undefined, { signal: over }).catch(() => undefined);
      }
    });
  }
}

/** Waits for the run to be final; undefined when it takes too long. */
async function finalRecord(stack: TestStack, blobName: string, over: AbortSignal): Promise<ProvisionRun | undefined> {
  const deadline = performance.now() + HANGS_AFTER_MS;
  let runId: string | undefined;
  while (performance.now() < deadline && !over.aborted) {
    const record: ProvisionRun | undefined =
      runId === undefined
        ? await stack.recordOf(blobName)
        : (JSON.parse(await stack.read('hubkeeper-runs', `${runId}.json`)) as ProvisionRun);
    runId = record?.runId;
    if (record !== undefined && isFinal(record.state)) return record;
    await sleep(250);
  }
  return undefined;
}

async function fill(stack: TestStack, devices: readonly ScheduledDevice[]): Promise<void> {
  for (let start = 0; start < devices.length; start += 100) {
    const items = devices.slice(start, start + 100).map((device) => ({
      status: 'enabled',
      ...device,
      importMode: 'create',
    }));
    const reply = await stack.rest('POST', '/devices', items);
    if (reply.status !== 200) throw new Error(`The hub could not be filled: ${JSON.stringify(reply.body)}`);
  }
}

async function admin(stack: TestStack, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${stack.hubAdminUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}
