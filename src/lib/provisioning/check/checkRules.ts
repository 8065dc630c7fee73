import type { CheckOptions } from '../../devicesFile/checkTypes.ts';
import type { ProvisionOptions } from '../run/options.ts';

/**
 * What the options of a run ask of each line.
 *
 * Without a pre-image nobody knows what a device has, so a line must say itself what an import would reset. A missing
 * statusReason is no harm: the status that it belongs to is in the line. And nobody knows a twin that a line would be merged
 * into, which a hub may replace instead.
 */
export function checkRulesOf(
  options: Pick<ProvisionOptions, 'importMode' | 'backupFirst' | 'missingKeys'>,
): Pick<CheckOptions, 'importMode' | 'mustSay' | 'noMerging'> {
  const { importMode, backupFirst, missingKeys } = options;
  if (backupFirst !== 'never') return { importMode };
  return {
    importMode,
    noMerging: true,
    mustSay: missingKeys === 'keep' ? ['authentication', 'status', 'capabilities'] : ['status', 'capabilities'],
  };
}
