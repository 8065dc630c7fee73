/**
 * The message that an activity threw, out of what an orchestration catches.
 *
 * The durable extension wraps it: "Activity function 'x' failed: …", with the details of the host's exception after it,
 * which on a real host hold "Result: Failure / Exception: … / Stack: …" (azure-functions-host, RpcException).
 */
export function activityErrorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const thrown = /(?:^|\n)Exception: ([^\n]*)/.exec(text)?.[1];
  const plain = /failed: ([^\n]*)/.exec(text)?.[1];
  const message = thrown ?? plain ?? text.split('\n')[0] ?? text;
  return message.trim().slice(0, 500);
}
