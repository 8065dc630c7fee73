import { defined } from '../defined.ts';
import { safeError } from '../redact.ts';
import type { RunContext } from './runContext.ts';
import { isFinal, type RunBase, type RunError, type RunState } from './runRecord.ts';

/** The error of a run, out of whatever was thrown: our own errors as they are, all others without their insides. */
export function runErrorOf(error: unknown): RunError {
  const { code, message } = safeError(error);
  return {
    code: code ?? 'unexpected',
    message,
    ...(hasAction(error) ? { action: error.action } : {}),
  };
}

function hasAction(error: unknown): error is { readonly action: string } {
  return typeof error === 'object' && error !== null && 'action' in error && typeof error.action === 'string';
}

/** Writes the final state of a run into its record; a record that is final already stays as it is, or of which `unless` holds. */
export async function finishRun<Run extends RunBase>(
  context: RunContext<Run>,
  runId: string,
  ending: { readonly state: RunState; readonly error?: RunError | undefined },
  fields: Partial<Run> = {},
  unless: (record: Run) => boolean = () => false,
): Promise<Run> {
  await tellOfEnd(context, runId);
  return context.runs.update(runId, (record) => {
    if (unless(record)) return undefined;
    const { waiting: _waiting, phase: _phase, suspendedAt: _suspendedAt, ...rest } = record;
    const { state, error } = ending;
    return { ...rest, ...fields, state, finishedAt: context.now().toISOString(), ...defined({ error }) } as Run;
  });
}

/**
 * Tells whoever wants to know that the record of a run is about to be final. It is done before, so that no death in between
 * keeps it from them: whether the run has ended then, its record says.
 */
export async function tellOfEnd({ runs, beforeEnd }: RunContext, runId: string): Promise<void> {
  if (beforeEnd === undefined) return;
  const record = await runs.read(runId);
  if (record !== undefined && !isFinal(record.state)) await beforeEnd(record);
}
