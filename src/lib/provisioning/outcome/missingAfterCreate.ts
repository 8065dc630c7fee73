/**
 * A hub that says of a line which creates that there is no such device. "Create the device first" is no help then: seen in
 * error logs of import jobs (404001 of devices that the file has, again with each import of it).
 */

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import type { LineOf } from '../evidence/evidence.ts';
import { verdict } from '../texts/outcomeTexts.ts';

/** The verdict on a line, with what can be done about it in a mode that creates. */
export function explainMissing({ mode, moduleId }: Pick<LineOf, 'mode' | 'moduleId'>, given: Verdict): Verdict {
  const { outcome, code } = given;
  if (outcome !== 'failed' || !MODE_RULES[mode].mayCreate) return given;
  if (code !== 'DeviceNotFound' && code !== 'ModuleNotFound') return given;
  const ofModule = moduleId !== undefined;
  if (ofModule && code === 'DeviceNotFound') return { ...given, ...verdict('DeviceNotFound:ofModule') };
  return { ...given, ...verdict(ofModule ? 'ModuleNotFound:created' : 'DeviceNotFound:created'), code };
}
