import { countText } from '../../countText.ts';
import type { RunError } from '../../runs/runRecord.ts';
import type { ProvisionOptions } from '../run/options.ts';
import type { CheckCounts } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

/** Why a file whose lines could be read is refused as a whole, before any job; undefined when it is not. */
export function refusalOf(
  counts: Pick<CheckCounts, 'lines' | 'rejected'>,
  options: Pick<ProvisionOptions, 'onInvalidLine' | 'maxRejects'>,
): RunError | undefined {
  const { lines, rejected } = counts;
  const { onInvalidLine, maxRejects } = options;
  const invalid = invalidText(rejected, lines, 'lines');
  if (rejected > 0 && onInvalidLine === 'abort') {
    return runError('invalidLines', { invalid });
  }
  if (maxRejects !== undefined && rejected > maxRejects) {
    return runError('tooManyRejects', { invalid, most: countText(maxRejects) });
  }
  return undefined;
}

/** The same for a `configurations.txt`: `maxRejects` is about devices and does not count here. */
export function configurationsRefusal(
  counts: Pick<CheckCounts, 'lines' | 'rejected'>,
  options: Pick<ProvisionOptions, 'onInvalidLine'>,
): RunError | undefined {
  const { lines, rejected } = counts;
  if (rejected === 0 || options.onInvalidLine !== 'abort') return undefined;
  return runError('invalidLines:configurations', { invalid: invalidText(rejected, lines, 'configurations') });
}

function invalidText(rejected: number, all: number, what: string): string {
  return `${countText(rejected)} of ${countText(all)} ${what} ${rejected === 1 ? 'is' : 'are'} invalid`;
}
