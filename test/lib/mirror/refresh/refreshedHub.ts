/** A refresh in this process: the real orchestration and activity, over a simulated hub and a store in memory. */

import type { OrchestrationContext } from 'durable-functions';

import { createDamageLog } from '../../../../src/lib/mirror/refresh/damageLog.ts';
import type { RefreshContext } from '../../../../src/lib/mirror/refresh/refreshContext.ts';
import { REFRESH_STEP } from '../../../../src/lib/mirror/refresh/refreshPlan.ts';
import { type RefreshInput, type RefreshReply, refreshStep } from '../../../../src/lib/mirror/refresh/refreshStep.ts';
import { type WantedBy, wantedBy } from '../../../../src/lib/mirror/refresh/wants.ts';
import { type IdentityKey, keyText, type MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import type { MirrorStore } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { readEffectsBy } from '../../../../src/lib/provisioning/effects/readEffects.ts';
import { mirrorRefresh } from '../../../../src/orchestrations/mirrorRefresh.ts';
import { createMemoryMirrorStore, type MemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import type { ScriptedTask } from '../../../helpers/orchestration.ts';
import { type SimulatedHub, withSimulatedHub } from '../../../helpers/simulatedHub.ts';

export const HUB = 'default';

export interface RefreshedHub extends SimulatedHub {
  readonly store: MemoryMirrorStore;
  readonly refreshContext: RefreshContext;
  /** Queues identities, as a run would that has touched them long ago: queries show them as they are. */
  want(keys: readonly IdentityKey[], by?: Partial<WantedBy>): Promise<void>;
  /** Runs the orchestration to its end. */
  refresh(): Promise<Drained>;
  row(deviceId: string, moduleId?: string): MirrorRow | undefined;
}

export interface Drained {
  readonly state: unknown;
  readonly replies: readonly RefreshReply[];
  /** Seconds that were waited. */
  readonly waits: readonly number[];
  readonly signals: readonly string[];
}

/** @param wrap what refreshes see of the store */
export function withRefreshedHub<Result>(
  storage: string,
  work: (hub: RefreshedHub) => Promise<Result>,
  wrap: (store: MemoryMirrorStore) => MirrorStore = (store) => store,
): Promise<Result> {
  return withSimulatedHub(storage, async (hub) => {
    const store = createMemoryMirrorStore();
    const { context, client } = hub;
    const refreshContext: RefreshContext = {
      ...context,
      hub: () => client,
      store: wrap(store),
      readEffects: readEffectsBy(context),
      damage: createDamageLog(),
    };
    return work({
      ...hub,
      store,
      refreshContext,
      async want(keys, by = {}) {
        const full = { doneAt: new Date(0), ...by };
        for (const key of keys) {
          const [before] = await store.read(HUB, [key]);
          await store.write(HUB, [{ key, before, row: wantedBy(HUB, key, before?.row, full, context.now()) }]);
        }
        // A reading counts if it begins after the row was changed.
        context.advance(5);
      },
      refresh: () => drain(refreshContext, context.advance),
      row: (deviceId, moduleId) => {
        const name = moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
        return store.all(HUB).find((row) => keyText(row) === name);
      },
    });
  });
}

async function drain(context: RefreshContext, advance: (ms: number) => void): Promise<Drained> {
  const replies: RefreshReply[] = [];
  const waits: number[] = [];
  const signals: string[] = [];
  const answer = async (task: ScriptedTask): Promise<unknown> => {
    if (task.name === REFRESH_STEP) {
      const reply = JSON.parse(JSON.stringify(await refreshStep(context, task.input as RefreshInput))) as RefreshReply;
      replies.push(reply);
      advance(5);
      return reply;
    }
    if (task.name === 'take') return { granted: true, spreadMs: 0 };
    if (task.kind !== 'timer') throw new Error(`A task ${task.name} is not answered here.`);
    const ms = Number(task.input) - context.now().getTime();
    waits.push(Math.round(ms / 1000));
    advance(Math.max(0, ms) + 1);
    return undefined;
  };
  for (let input: unknown = { hub: HUB }; ; ) {
    const again: { input?: unknown } = {};
    const generator = mirrorRefresh(durable(context, input, again, signals));
    let step = generator.next();
    while (!step.done) {
      const task = step.value as unknown as ScriptedTask;
      try {
        step = generator.next(await answer(task));
      } catch (error) {
        step = generator.throw(error);
      }
    }
    if (!('input' in again)) return { state: step.value?.state, replies, waits, signals };
    input = again.input;
  }
}

function durable(
  context: RefreshContext,
  input: unknown,
  again: { input?: unknown },
  signals: string[],
): OrchestrationContext {
  const task = (kind: ScriptedTask['kind']) => (name: string, value: unknown) => ({ kind, name, input: value });
  const df = {
    getInput: () => input,
    get currentUtcDateTime() {
      return context.now();
    },
    callActivityWithRetry: (name: string, _policy: unknown, value: unknown) => task('activity')(name, value),
    callEntity: (_entity: unknown, operation: string, value: unknown) => task('entity')(operation, value),
    signalEntity: ({ name, key }: { readonly name: string; readonly key: string }, operation: string) =>
      signals.push(`${operation} ${name}@${key}`),
    createTimer: (fireAt: Date) => task('timer')('timer', fireAt.getTime()),
    continueAsNew: (value: unknown) => {
      again.input = value;
    },
  };
  return { df } as unknown as OrchestrationContext;
}
