import { countText } from '../../countText.ts';
import type { RunError } from '../../runs/runRecord.ts';
import type { ProvisionOptions } from '../run/options.ts';
import type { CheckCounts } from '../run/provisionRun.ts';

/** Why a file whose lines could be read is refused as a whole, before any job; undefined when it is not. */
export function refusalOf(
  counts: Pick<CheckCounts, 'lines' | 'rejected'>,
  options: Pick<ProvisionOptions, 'onInvalidLine' | 'maxRejects'>,
): RunError | undefined {
  const { lines, rejected } = counts;
  const { onInvalidLine, maxRejects } = options;
  const invalid = `${countText(rejected)} of ${countText(lines)} lines ${rejected === 1 ? 'is' : 'are'} invalid`;
  if (rejected > 0 && onInvalidLine === 'abort') {
    return {
      code: 'invalidLines',
      message: `${invalid}, and onInvalidLine is abort: nothing is sent to the hub.`,
      action: 'Correct these lines and drop the file again, or set onInvalidLine to skip.',
    };
  }
  if (maxRejects !== undefined && rejected > maxRejects) {
    return {
      code: 'tooManyRejects',
      message: `${invalid}, more than maxRejects (${countText(maxRejects)}) allows: nothing is sent to the hub.`,
      action: 'Correct these lines and drop the file again, or raise maxRejects.',
    };
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
  return {
    code: 'invalidLines',
    message: `${countText(rejected)} of ${countText(lines)} configurations ${rejected === 1 ? 'is' : 'are'} invalid, and onInvalidLine is abort: nothing is sent to the hub.`,
    action: 'Correct configurations.txt and drop the devices file again, or set onInvalidLine to skip.',
  };
}
