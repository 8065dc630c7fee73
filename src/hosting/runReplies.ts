/** Bodies of HTTP replies about runs. */

export function runNotFound(runId: string) {
  return { error: { code: 'runNotFound', message: `There is no run ${runId.slice(0, 64)}.` } };
}
