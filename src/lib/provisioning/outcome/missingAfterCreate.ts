/**
 * A hub that says of a line which creates that there is no such device. "Create the device first" is no help then: seen in
 * error logs of import jobs (404001 of devices that the file has, again with each import of it).
 */

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import type { LineOf } from '../evidence/standing.ts';

/** The verdict on a line, with what can be done about it in a mode that creates. */
export function explainMissing({ mode, moduleId }: Pick<LineOf, 'mode' | 'moduleId'>, verdict: Verdict): Verdict {
  const { outcome, code } = verdict;
  if (outcome !== 'failed' || !MODE_RULES[mode].mayCreate) return verdict;
  if (code !== 'DeviceNotFound' && code !== 'ModuleNotFound') return verdict;
  if (moduleId !== undefined && code === 'DeviceNotFound') {
    return {
      ...verdict,
      reason: 'The device of this module is not in the registry.',
      action: 'Create the device first; it may be in the same file.',
    };
  }
  const what = moduleId === undefined ? 'device' : 'module';
  return {
    ...verdict,
    reason: `The hub says that there is no such ${what}, although the line creates it.`,
    action: `Drop failed-devices.txt. If the same ${what} fails again, the trouble is in the hub: delete the ${what} and create it anew, or open an Azure support request with the id of the job.`,
  };
}
