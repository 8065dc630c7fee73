import { HubError, type RegistryClient } from '../../registry/index.ts';
import { paceOfRun } from '../../runs/paceOfRun.ts';
import { hubOf, isFinal } from '../../runs/runRecord.ts';
import { lostOf, StagingLost } from '../../runs/stagingLost.ts';
import { readJson, writeJson } from '../../storage/jsonBlob.ts';
import { measure } from '../../telemetry/telemetry.ts';
import { FEWEST_CALL_ITEMS } from '../../turns/hubPace.ts';
import { afterFailure, afterPatch, afterReply, itemOf, patchOf } from '../again/lineReplies.ts';
import {
  CALL_MS,
  CALL_OVER_MS,
  type ChunkState,
  chunkBlobs,
  isTimeOver,
  type LineState,
  readWaves,
  readWaveTexts,
  untried,
  type Wave,
  type WaveLine,
} from '../again/waves.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

/** An activity ends by itself within a minute; what is left is the next one's. */
const WORK_MS = 45_000;
/** So many twins are patched at a time: one patch takes as long as its reply. */
const PATCHES_AT_ONCE = 10;
/** So many single adds in a row answered "full" end a wave that goes one by one. */
const FULL_AFTER = 20;

export interface ChunkInput {
  readonly runId: string;
  readonly wave: string;
  readonly chunk: number;
  /** Which step of which lane this is: whoever executes it again goes on with what is left of `items`. */
  readonly step: string;
  /** Lines that may be sent now: what the budget granted. */
  readonly items: number;
  /** The pace of what was granted; when the first call is due, and the time between calls. */
  readonly msPerItem: number;
  readonly waitMs: number;
  /** Lines that were tried more often than this wait for a later pass. */
  readonly pass: number;
  /** How many single adds in a row have been answered "full" so far. */
  readonly refusals: number;
}

export interface ChunkReply {
  /**
   * `more`: go on at once; `tried`: what is left failed transiently, and waits for the next pass; `done`: nothing
   * is left; `wait`: somebody else is at it; `over`: nothing of the wave is sent any more,
   * or not now.
   */
  readonly status: 'more' | 'tried' | 'done' | 'wait' | 'over';
  /** Lines that were sent by this step, however often it was executed; told when it does not end with `wait`. */
  readonly sent: number;
  /** How long the next call has to wait to keep the pace. */
  readonly waitMs: number;
  /** The hub answered 429. */
  readonly throttled: boolean;
  readonly refusals: number;
}

/**
 * Works on one chunk of a wave: sends its lines by bulk calls, as many as the budget granted, and notes the outcome of
 * each call before the next.
 *
 * The state says which lines are on their way before a call is sent, under the ETag that was read: two attempts cannot
 * send the same lines. If an attempt dies, its lines are sent again once its reply cannot come any more.
 */
export async function workChunk(context: ProvisioningContext, input: ChunkInput): Promise<ChunkReply> {
  try {
    return await work(context, input);
  } catch (error) {
    // What is lost is seen to by the step that asks what is next.
    if (lostOf(error) === undefined) throw error;
    return { sent: 0, throttled: false, refusals: input.refusals, waitMs: input.waitMs, status: 'over' };
  }
}

async function work(context: ProvisioningContext, input: ChunkInput): Promise<ChunkReply> {
  const idle = { sent: 0, throttled: false, refusals: input.refusals, waitMs: input.waitMs };
  const open = await openWave(context, input);
  if (open === undefined) return { ...idle, status: 'over' };
  const { record, wave } = open;
  const blobs = chunkBlobs(context, record, wave, input.chunk);
  const texts = await readWaveTexts(blobs.lines);
  const lines = texts.map((text) => JSON.parse(text) as WaveLine);
  const read = await readJson<ChunkState>(blobs.state);
  if (read === undefined && wave.hasStates) throw new StagingLost(input.runId, blobs.state.name);
  const isFresh = (read?.value.lines.length ?? 0) === 0;
  let state: ChunkState = isFresh ? { lines: lines.map(() => untried(wave)) } : (read?.value ?? { lines: [] });
  let etag = read?.etag;
  const atStart = state.lines;
  if (state.sentAt !== undefined && context.now().getTime() - Date.parse(state.sentAt) < CALL_OVER_MS) {
    return { ...idle, status: 'wait' };
  }
  const singly = wave.singly === true;
  const save = async (next: ChunkState): Promise<boolean> => {
    const condition = etag === undefined ? { ifAbsent: true } : { ifMatch: etag };
    const written = await writeJson(blobs.state, next, condition);
    if (written === undefined) return false;
    etag = written;
    state = next;
    return true;
  };
  const back = afterLostCall(state);
  if (back !== undefined && !(await save(back))) return { ...idle, status: 'wait' };

  if (singly && isFresh) await countRegistry(context, record, wave.name);
  const mostItems = wave.patches === undefined ? paceOfRun(context, record).callItems : PATCHES_AT_ONCE;
  // A hub that is smaller than its setting says may never take as many at once.
  let callItems = Math.min(mostItems, state.callItems ?? mostItems);
  const slower = () => (callItems === mostItems ? {} : { callItems });
  const hub = context.hub(hubOf(record));
  const endAt = context.now().getTime() + WORK_MS;
  const earlier = state.step?.key === input.step ? state.step : undefined;
  let { refusals } = input;
  let sent = earlier?.sent ?? 0;
  let callAt = earlier?.nextAt ?? context.now().getTime() + input.waitMs;
  const reply = (status: ChunkReply['status'], throttled = false): ChunkReply => ({
    status,
    sent: status === 'wait' ? 0 : sent,
    waitMs: Math.max(0, Math.round(callAt - context.now().getTime())),
    throttled,
    refusals,
  });
  for (;;) {
    const due = nextCall(lines, state.lines, {
      most: Math.min(singly ? 1 : callItems, input.items - sent),
      pass: input.pass,
    });
    if (due.length === 0 || Math.max(callAt, context.now().getTime()) > endAt) break;
    if (singly && refusals >= FULL_AFTER) return reply('over');
    await context.sleep(Math.max(0, callAt - context.now().getTime()));
    callAt = Math.max(callAt, context.now().getTime()) + due.length * input.msPerItem;
    const before = state.lines;
    const call = due.map((index) => ({ text: at(texts, index), line: at(lines, index), state: at(before, index) }));
    const marked = replaced(before, due, call.map(markSent));
    const step = { key: input.step, sent: sent + due.length, nextAt: callAt };
    if (!(await save({ lines: marked, ...slower(), step, sentAt: context.now().toISOString() }))) return reply('wait');
    sent += due.length;
    tellRetries(hubOf(record), wave, due.length);
    const { after, isThrottled, isTroubled } = await (wave.patches === undefined
      ? sendBulk(hub, call, wave)
      : sendPatches(hub, call));
    if (isThrottled) callItems = Math.min(callItems, Math.max(FEWEST_CALL_ITEMS, Math.floor(due.length / 2)));
    if (!(await save({ lines: replaced(before, due, after), ...slower(), step }))) return reply('wait');
    if (singly) refusals = after[0]?.is === 'failed' && isFull(after[0]) ? refusals + 1 : 0;
    if (isThrottled) {
      await tellProgress(context, record, input.wave, countPending(atStart) - countPending(state.lines));
      return reply('more', true);
    }
    // Trouble of the hub as a whole is not met by sending the next call at once.
    if (isTroubled) break;
  }
  await tellProgress(context, record, input.wave, countPending(atStart) - countPending(state.lines));
  const left = state.lines.filter(({ is }) => is === 'pending');
  const isDue = left.some(({ tries }) => tries <= input.pass);
  const status = left.length === 0 ? 'done' : isDue ? 'more' : 'tried';
  return reply(status);
}

/** What links devices to their parents, or takes something away, was never given to the hub before. */
function tellRetries(hub: string, { singly, twinOnly, links, removes }: Wave, lines: number): void {
  if (links === true || removes === true) return;
  const reason = singly === true ? 'quota' : twinOnly === true ? 'withoutTwin' : 'transient';
  measure('hubkeeper.retries', lines, { hub, reason });
}

/** The wave of a chunk; undefined when nothing of it is to be sent now. */
async function openWave(
  context: ProvisioningContext,
  { runId, wave: name }: ChunkInput,
): Promise<{ readonly record: ProvisionRun; readonly wave: Wave } | undefined> {
  const record = await context.runs.read(runId);
  if (record === undefined || isFinal(record.state)) return undefined;
  const waves = await readWaves(context, record);
  const wave = waves?.waves.find((one) => one.name === name);
  if (waves === undefined || wave === undefined || wave.finishedAt !== undefined) return undefined;
  // Its lanes are not suspended with the run: they end, and are begun anew when it goes on.
  if (record.cancelRequestedAt !== undefined || record.suspendedAt !== undefined) return undefined;
  return isTimeOver(context, record, waves, wave.until) ? undefined : { record, wave };
}

/** After a call whose fate nobody knows: its lines may have been applied, and are sent again. */
function afterLostCall({ sentAt, ...rest }: ChunkState): ChunkState | undefined {
  if (sentAt === undefined && rest.lines.every(({ is }) => is !== 'sent')) return undefined;
  const lines = rest.lines.map((line) =>
    line.is === 'sent'
      ? { ...line, is: 'pending' as const, tries: line.tries + 1, code: 'Timeout', maybe: true as const }
      : line,
  );
  return { ...rest, lines };
}

/** Shows how full the hub is: once a chunk, which is once in 500 adds. */
async function countRegistry(context: ProvisioningContext, record: ProvisionRun, wave: string): Promise<void> {
  try {
    const { totalDeviceCount } = await context.hub(hubOf(record)).getRegistryStatistics();
    await context.runs.update(record.runId, (current) =>
      current.progress?.part === wave
        ? { ...current, progress: { ...current.progress, registryDevices: totalDeviceCount } }
        : undefined,
    );
  } catch (error) {
    // A number to look at: nothing depends on it.
    if (!(error instanceof HubError)) throw error;
  }
}

function countPending(states: readonly LineState[]): number {
  return states.filter(({ is }) => is === 'pending' || is === 'sent').length;
}

async function tellProgress(
  context: ProvisioningContext,
  record: ProvisionRun,
  wave: string,
  settled: number,
): Promise<void> {
  if (settled <= 0) return;
  await context.runs.update(record.runId, (current) =>
    current.progress?.part === wave
      ? { ...current, progress: { ...current.progress, left: Math.max(0, current.progress.left - settled) } }
      : undefined,
  );
}

function isFull({ code }: LineState): boolean {
  return code === 'IotHubQuotaExceeded';
}

interface CallLine {
  readonly text: string;
  readonly line: WaveLine;
  readonly state: LineState;
}

function markSent({ state }: CallLine): LineState {
  return { ...state, is: 'sent' };
}

interface CallResult {
  readonly after: LineState[];
  readonly isThrottled: boolean;
  /** The hub as a whole has trouble. */
  readonly isTroubled: boolean;
}

async function sendBulk(hub: RegistryClient, call: readonly CallLine[], wave: Wave): Promise<CallResult> {
  const kind = { singly: wave.singly === true, links: wave.links === true };
  const result = await orHubError(
    hub.bulk(
      call.map(({ text, state }) => itemOf(text, state)),
      { timeoutMs: CALL_MS },
    ),
  );
  if (!(result instanceof HubError)) {
    return { after: afterReply(call, result, kind), isThrottled: false, isTroubled: false };
  }
  return {
    after: afterFailure(call, result, kind),
    isThrottled: result.kind === 'throttled',
    isTroubled: mayPass(result),
  };
}

async function sendPatches(hub: RegistryClient, call: readonly CallLine[]): Promise<CallResult> {
  const results = await Promise.all(
    call.map(({ text, line: { id, moduleId } }) =>
      orHubError(
        hub.patchTwin({ deviceId: id, ...(moduleId == null ? {} : { moduleId }) }, patchOf(text), {
          timeoutMs: CALL_MS,
        }),
      ),
    ),
  );
  const errors = results.map((result) => (result instanceof HubError ? result : undefined));
  return {
    after: call.map(({ state }, index) => afterPatch(state, errors[index])),
    isThrottled: errors.some((error) => error?.kind === 'throttled'),
    isTroubled: errors.every((error) => error !== undefined && mayPass(error)),
  };
}

function mayPass({ retryable, outcomeUnknown }: HubError): boolean {
  return retryable || outcomeUnknown;
}

async function orHubError<T>(reply: Promise<T>): Promise<T | HubError> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
}

/** Places of the lines of the next call: due ones, no two of one device, for a hub takes a device once a call. */
function nextCall(
  lines: readonly WaveLine[],
  states: readonly LineState[],
  { most, pass }: { readonly most: number; readonly pass: number },
): number[] {
  const due: number[] = [];
  const ids = new Set<string>();
  for (const [index, state] of states.entries()) {
    if (due.length >= most) break;
    if (state.is !== 'pending' || state.tries > pass) continue;
    if (state.alone !== undefined) {
      if (due.length === 0) return [index];
      continue;
    }
    const { id } = at(lines, index);
    if (ids.has(id)) continue;
    ids.add(id);
    due.push(index);
  }
  return due;
}

/** What is known of a line of the chunk. */
function at<Known>(all: readonly Known[], index: number): Known {
  const known = all[index];
  if (known === undefined) throw new Error(`The chunk has no line ${index}.`);
  return known;
}

/** `states` with those at `places` replaced by `next`, one for one. */
function replaced(states: readonly LineState[], places: readonly number[], next: readonly LineState[]): LineState[] {
  const changed = [...states];
  for (const [place, index] of places.entries()) changed[index] = at(next, place);
  return changed;
}
