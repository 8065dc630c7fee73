import { redactCredentials } from '../redactCredentials.ts';
import { type EngineParts, warnOfLargePayload } from './engineParts.ts';
import { eventType, isoTime } from './historyEvents.ts';
import { unknownFunctionMessage } from './interpreter.ts';
import { type ActivityRow, isFinished } from './store.ts';
import { activityInput, jsonOfResult } from './typedData.ts';

type ActivityOutcome =
  | { readonly ok: true; readonly result: string }
  | { readonly ok: false; readonly reason: string; readonly details: string };

/**
 * Returns the function that runs one stored activity and hands its outcome to the orchestration, in one transaction
 * with the removal of the stored row: a process that dies in between runs it again. The outcome is dropped when the
 * orchestration has ended or has gone on to another execution.
 */
export function createActivityRunner(parts: EngineParts): (seq: number) => Promise<void> {
  const { store, mailroom, clock, functions, unkind, log } = parts;

  return async function runActivity(seq) {
    const row = store.activity(seq);
    if (row === undefined) {
      return;
    }
    const twice = unkind?.chance(0.3) ?? false;
    if (twice && unkind?.chance(0.5)) {
      const both = [attempt(row), attempt(row)];
      record(row, await Promise.race(both));
      await Promise.all(both);
      return;
    }
    record(row, await attempt(row));
    if (twice) {
      await attempt(row);
    }
  };

  async function attempt(row: ActivityRow): Promise<ActivityOutcome> {
    const activity = functions.find('activity', row.name);
    if (activity === undefined) {
      return failure(row, new Error(unknownFunctionMessage('activity', row.name, functions.names('activity'))));
    }
    const input = activityInput(row.input);
    try {
      const result = await parts.invoke(activity.name, {
        inputs: { [activity.triggerBindingName]: input },
        triggerMetadata: { instanceId: { string: row.instanceId }, data: input },
      });
      return { ok: true, result: jsonOfResult(result) };
    } catch (error) {
      return failure(row, error);
    }
  }

  function record(row: ActivityRow, outcome: ActivityOutcome): void {
    if (!outcome.ok) {
      log('warning', `${outcome.reason} (instance '${row.instanceId}', task ${row.taskId})`);
    } else {
      warnOfLargePayload(log, `The result of activity '${row.name}' (instance '${row.instanceId}')`, outcome.result);
    }
    mailroom.commit((outgoing) => {
      store.deleteActivity(row.seq);
      const instance = store.instance(row.instanceId);
      if (instance === undefined || instance.executionId !== row.executionId || isFinished(instance.status)) {
        return;
      }
      const now = clock();
      const common = { EventId: -1, Timestamp: isoTime(now), TaskScheduledId: row.taskId };
      outgoing.send({
        target: row.instanceId,
        executionId: row.executionId,
        visibleAt: now,
        body: {
          kind: 'event',
          event: outcome.ok
            ? { EventType: eventType.taskCompleted, ...common, Result: outcome.result }
            : { EventType: eventType.taskFailed, ...common, Reason: outcome.reason, Details: outcome.details },
        },
      });
    });
  }
}

/** Texts of TaskActivityShim.cs; `Details` is an exception as .NET serializes it, as far as a script can tell. */
function failure(row: ActivityRow, error: unknown): ActivityOutcome {
  const message = redactCredentials(error instanceof Error ? error.message : String(error));
  const stack = error instanceof Error && error.stack !== undefined ? redactCredentials(error.stack) : null;
  return {
    ok: false,
    reason: `Activity function '${row.name}' failed: ${message}`,
    details: JSON.stringify({
      $type: 'System.Exception, System.Private.CoreLib',
      ClassName: 'System.Exception',
      Message: message,
      RemoteStackTraceString: stack,
    }),
  };
}
