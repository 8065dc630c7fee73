/**
 * True for an error that is not the function's own: the host's time limit (invocations.ts). An orchestrator or entity
 * episode that ended so is run again (DurableTaskExtension.cs aborts the session); for an activity it is an ordinary
 * failure.
 */
export function isHostFailure(error: unknown): boolean {
  return error instanceof Error && /^Timeout value of [\d.]+ s exceeded by function "[^"]*"\.$/.test(error.message);
}
