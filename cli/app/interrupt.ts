import { StackError } from '../../local/stack/stackError.ts';
import { CliError } from '../cliError.ts';
import { EXIT } from '../exitCode.ts';

/** Signals that ask the command to end: Ctrl-C, kill, the terminal closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is being worked on. */
const active = new Set<AbortController>();
let outputIsGone = false;

/** Nobody reads stdout any more: what is being worked on is wound up, and the process ends without a word. */
export function endForLackOfReaders(): void {
  outputIsGone = true;
  if (active.size === 0) process.exit(EXIT.ok);
  for (const controller of active) controller.abort();
}

/**
 * Runs `work` with a signal that aborts on Ctrl-C. One keystroke may arrive more than once (npm passes on to its scripts
 * what the terminal has already sent them), so further signals change nothing while the work winds up.
 */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  for (const signal of SIGNALS) process.on(signal, abort);
  active.add(controller);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (outputIsGone) process.exit(EXIT.ok);
    if (controller.signal.aborted && isAbort(error)) throw new CliError(EXIT.interrupted, 'Interrupted.');
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, abort);
    active.delete(controller);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof StackError ? error.kind === 'stopped' : error instanceof Error && error.name === 'AbortError';
}
