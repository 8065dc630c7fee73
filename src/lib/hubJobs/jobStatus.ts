/** Whether a job with this status, as the hub writes it, has ended. */
export function isTerminalStatus(status: string): boolean {
  return ['completed', 'failed', 'cancelled'].includes(status.toLowerCase());
}
