/** What the hub's reply means for one line of a wave, as pure functions. */

import { importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { type BulkResult, explainHubError, type HubError } from '../../registry/index.ts';
import { twinMembers, twinOf } from '../../registryLines/twinText.ts';
import { memberMap, objectText } from '../../textFile/jsonMembers.ts';
import { explainsItself, provesNothingDone, saysNotThere, WITHOUT_TWIN } from '../evidence/evidence.ts';
import type { LineState, WaveLine } from './waves.ts';

/** What decides how a reply is taken. */
export interface WaveKind {
  readonly singly: boolean;
  /** The lines link devices to their parents: they have never been sent before. */
  readonly links: boolean;
}

/**
 * The item of a bulk call for a line.
 *
 * @param text the line, whose numbers and keys arrive as they are written
 */
export function itemOf(text: string, state: LineState): string {
  if (state.twinOnly === undefined) return text;
  const line = memberMap(text);
  const identity = ['id', 'moduleId'].flatMap((key): [string, string][] => {
    const value = line.get(key);
    return value === undefined || value === 'null' ? [] : [[key, value]];
  });
  return objectText([
    ...identity,
    ['importMode', '"updateTwin"'],
    // The hub wants a status on every line, and pays no attention to it here.
    ['status', '"enabled"'],
    // What the line leaves out is left alone: its device may have been there before, with a twin of its own.
    ...twinMembers(twinOf(line)),
  ]);
}

/** The patch of a twin for a line that merges, or that says what had to go. */
export function patchOf(text: string): string {
  return objectText(twinMembers(twinOf(memberMap(text))));
}

/** The state of a line whose twin was patched, which may be done again at any time. */
export function afterPatch(state: LineState, error: HubError | undefined): LineState {
  const tries = state.tries + 1;
  if (error !== undefined) return afterTrouble(state, error) ?? { ...state, tries, is: 'failed', code: error.code };
  const { code: _code, maybe: _maybe, ...rest } = state;
  return { ...rest, tries, is: 'succeeded' };
}

/** The state of a line whose call met trouble of the hub as a whole, or of the app; undefined: the call itself is at fault. */
function afterTrouble(state: LineState, error: HubError): LineState | undefined {
  const { code, kind, outcomeUnknown, retryable } = error;
  // Refused before it was looked at: this was no try, the budget was at fault.
  if (kind === 'throttled') return { ...state, is: 'pending', code };
  const tried: LineState = { ...state, tries: state.tries + 1, is: 'pending', code };
  // The app may not send anything at the moment, whatever the lines are: a key may have been changed.
  if (kind === 'unauthorized' || kind === 'forbidden') return tried;
  return retryable || outcomeUnknown ? { ...tried, ...doubtOf(code, outcomeUnknown) } : undefined;
}

/**
 * The states of the lines of one bulk call after its reply.
 *
 * Every line of a wave has been sent before, and that time it may have been applied although an error was reported
 * (a timeout, say). So an error that its own application would explain proves nothing: that line is doubtful.
 */
export function afterReply(
  sent: readonly { readonly line: WaveLine; readonly state: LineState }[],
  result: BulkResult,
  wave: WaveKind,
): LineState[] {
  const errors = new Map(result.errors.map((error) => [error.deviceId, error]));
  const warned = new Set(result.warnings.map(({ deviceId }) => deviceId));
  // What names no device may be about any of them; without an error a failed call says nothing of anybody.
  const ids = new Set(sent.map(({ line }) => line.id));
  const unclear = result.errors.some(({ deviceId }) => deviceId === undefined || !ids.has(deviceId));
  const silent = !result.isSuccessful && result.errors.length === 0;
  return sent.map(({ line, state }) => {
    const tried = { ...state, tries: state.tries + 1 };
    const error = errors.get(line.id) ?? (sent.length === 1 ? errors.get(undefined) : undefined);
    if (error !== undefined) return afterError(line, tried, error.error.name, wave);
    if (unclear || silent) {
      return sent.length === 1 ? afterError(line, tried, 'Unknown', wave) : { ...tried, alone: true, is: 'pending' };
    }
    if (warned.has(line.id)) return { ...tried, is: 'pending', twinOnly: true, code: WITHOUT_TWIN };
    const { code: _code, alone: _alone, twinOnly: _twinOnly, maybe: _maybe, ...rest } = tried;
    return { ...rest, is: 'succeeded' };
  });
}

/** The states of the lines of a call that failed as a whole. */
export function afterFailure(
  sent: readonly { readonly line: WaveLine; readonly state: LineState }[],
  error: HubError,
  wave: WaveKind,
): LineState[] {
  return sent.map(({ line, state }) => {
    const after = afterTrouble(state, error);
    if (after !== undefined) return after;
    // One bad line makes a hub refuse all of them: which, is found out one by one.
    if (sent.length > 1) return { ...state, is: 'pending', alone: true };
    return afterError(line, { ...state, tries: state.tries + 1 }, error.code, wave);
  });
}

/** Whatever the hub says of the line later: now it may have been applied. */
function doubtOf(code: string, outcomeUnknown = false): Pick<LineState, 'maybe'> {
  return outcomeUnknown || !provesNothingDone(code) ? { maybe: true } : {};
}

function afterError(line: WaveLine, state: LineState, code: string, wave: WaveKind): LineState {
  const is = (outcome: LineState['is']): LineState => ({ ...state, is: outcome, code });
  const known = explainHubError(code);
  if (known.class === 'transient') return { ...is('pending'), ...doubtOf(code) };
  // One by one, the hub had its say; in a bulk call its margin may have been in the way.
  if (known.class === 'quota') return is(wave.singly ? 'failed' : 'quota');
  // It was made and is without its twin: not where the hub does not know it any more.
  if (state.twinOnly !== undefined && !saysNotThere(code)) return is('warned');
  const mode = importModeOf(line);
  // It has gone, which is all that was wanted.
  if (MODE_RULES[mode].deletes && saysNotThere(code)) return { ...state, is: 'succeeded' };
  // An earlier attempt may have been applied, although it ended in an error: only where the hub had refused the line
  // because it was full, and where the line is a link that is planned anew, does the last error say it all.
  if (wave.singly || wave.links) return is(explainsItself(mode, code) ? 'doubtful' : 'failed');
  return is('doubtful');
}
