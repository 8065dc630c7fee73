import { type EngineParts, warnOfLargePayload } from './engineParts.ts';
import { eventType, isoTime } from './historyEvents.ts';
import { unknownFunctionMessage } from './interpreter.ts';
import type { Outgoing } from './mailroom.ts';
import type { EntityOperation } from './store.ts';
import { jsonOfResult } from './typedData.ts';

export interface EntityId {
  /** Lower case. */
  readonly name: string;
  readonly key: string;
}

/** `@name@key`. */
export function entityInstanceId({ name, key }: EntityId): string {
  return `@${name.toLowerCase()}@${key}`;
}

export function parseEntityInstanceId(id: string): EntityId {
  const keyAt = id.indexOf('@', 1);
  return { name: id.slice(1, keyAt), key: id.slice(keyAt + 1) };
}

/** Reply of an entity function to a batch (durable-functions EntityState.js). */
interface EntityReply {
  readonly entityExists: boolean;
  readonly entityState?: string;
  readonly results: readonly ({ readonly isError: boolean; readonly result?: string } | null)[];
  readonly signals: readonly { readonly target: EntityId; readonly name: string; readonly input: string }[];
}

/**
 * Returns the function that runs one batch of operations of one entity, oldest first, and commits its state, its
 * answers and its signals together. An operation that throws is answered with what the library makes of the error;
 * what it had done to the state before stays (TaskEntityShim.cs does not roll back for out-of-process entities).
 * Throws when the whole batch has to be run again.
 */
export function createEntityRunner(parts: EngineParts, again: (id: string) => void): (id: string) => Promise<void> {
  const { store, mailroom, clock, functions, log } = parts;

  return async function runEntity(id) {
    const { maxEntityBatchSize } = parts.settings;
    const messages = store.messages(id, clock(), maxEntityBatchSize);
    const operations = messages.flatMap(({ body }) => (body.kind === 'operation' ? [body.operation] : []));
    if (operations.length === 0) {
      return;
    }
    const seqs = messages.map((message) => message.seq);
    const self = parseEntityInstanceId(id);
    const entity = functions.find('entity', self.name);
    if (entity === undefined) {
      const problem = unknownFunctionMessage('entity', self.name, functions.names('entity'));
      log('error', `Operations on entity '${id}' are dropped: ${problem}`);
      mailroom.commit((outgoing) => {
        store.deleteMessages(seqs);
        for (const operation of operations) {
          answer(outgoing, operation, { isError: true, result: JSON.stringify(problem) });
        }
      });
      return;
    }
    const row = store.entity(id);
    const reply = readReply(
      jsonOfResult(
        await parts.invoke(entity.name, {
          inputs: {
            [entity.triggerBindingName]: {
              string: JSON.stringify({
                self,
                exists: row?.exists ?? false,
                state: row?.state ?? null,
                batch: operations.map((operation) => ({
                  name: operation.name,
                  input: operation.input,
                  isSignal: operation.caller === undefined,
                })),
              }),
            },
          },
        }),
      ),
      id,
      operations.length,
      log,
    );
    warnOfLargePayload(log, `The state of entity '${id}'`, reply.entityState ?? null);

    mailroom.commit((outgoing) => {
      store.deleteMessages(seqs);
      if (reply.entityExists) {
        store.putEntity({ id, exists: true, state: reply.entityState ?? null, lastOperationAt: clock() });
      } else if (row !== undefined) {
        store.removeEntityState(id);
      }
      for (const [index, operation] of operations.entries()) {
        const result = reply.results[index];
        if (result?.isError) {
          log('warning', `Operation '${operation.name}' of entity '${id}' failed: ${result.result ?? ''}`);
        }
        answer(outgoing, operation, result ?? { isError: true, result: '{}' });
      }
      for (const signal of reply.signals) {
        sendSignal(outgoing, id, signal);
      }
    });
    if (operations.length === maxEntityBatchSize) {
      again(id);
    }
  };

  /** The answer is an event of the calling execution, named after the request. */
  function answer(
    outgoing: Outgoing,
    operation: EntityOperation,
    result: { readonly isError: boolean; readonly result?: string },
  ): void {
    const { caller } = operation;
    if (caller === undefined) {
      return;
    }
    const instance = store.instance(caller.instanceId);
    if (instance?.executionId !== caller.executionId) {
      return;
    }
    const now = clock();
    outgoing.send({
      target: caller.instanceId,
      executionId: caller.executionId,
      visibleAt: now,
      body: {
        kind: 'event',
        event: {
          EventType: eventType.eventRaised,
          EventId: -1,
          Timestamp: isoTime(now),
          Name: operation.id,
          Input: JSON.stringify({
            ...(result.result !== undefined && { result: result.result }),
            ...(result.isError && { exceptionType: 'Error' }),
          }),
        },
      },
    });
  }

  function sendSignal(outgoing: Outgoing, sender: string, signal: EntityReply['signals'][number]): void {
    if (functions.find('entity', signal.target.name) === undefined) {
      log(
        'error',
        `A signal of entity '${sender}' is dropped: ${unknownFunctionMessage('entity', signal.target.name, functions.names('entity'))}`,
      );
      return;
    }
    outgoing.send({
      target: entityInstanceId(signal.target),
      executionId: null,
      visibleAt: clock(),
      body: {
        kind: 'operation',
        operation: { id: '', name: signal.name, input: signal.input === '' ? null : signal.input },
      },
    });
  }
}

function readReply(json: string, id: string, operationCount: number, log: EngineParts['log']): EntityReply {
  const reply = JSON.parse(json) as Partial<EntityReply> | null;
  if (reply === null || !Array.isArray(reply.results) || !Array.isArray(reply.signals)) {
    throw new Error(`The function of entity '${id}' returned no entity state; is it registered with df.app.entity()?`);
  }
  if (reply.results.length > operationCount) {
    // Entity.js pushes an answer, it does not assign it: one that answers twice shifts those of all that follow.
    log(
      'warning',
      `Entity '${id}' gave ${reply.results.length} answers to ${operationCount} operations, so callers got wrong ones; call context.df.return() once per operation.`,
    );
  }
  return {
    entityExists: reply.entityExists === true,
    results: reply.results,
    signals: reply.signals,
    ...(reply.entityState !== undefined && reply.entityState !== null && { entityState: reply.entityState }),
  };
}
