/** Why a plan, a restore, a drill or a delete-all is refused, or ends before it is done. */

import { type CodeText, type Filling, speakerOf } from '../codeText.ts';
import { WorkRefused } from '../work/workRefused.ts';

export const RESTORE_TEXTS = {
  hubUnknown: {
    says: 'No hub "{alias}" is configured. There is: {hubs}.',
    action: 'Name one of these, or configure it: IOTHUB__ALIAS.',
  },
  backupOfOtherHub: {
    says: 'The backup {backup} is of the hub {was}, and "{alias}" is {name} now. Nothing was changed.',
    action: 'If it is to be restored there all the same, name the hub it goes to (--to).',
  },
  newKeysNeeded: {
    says: '{count} of what would be made anew would get new keys, for the backup {backup} has none. Nothing was changed.',
    action:
      'Take a backup with keys; or ask for new keys (--new-keys), which the devices have to be given before they can connect again: devices with certificates, too, for the backup does not say which they were.',
  },
  moreDeletes: {
    says: 'The restore would delete {deletes} devices, modules and configurations by now, and at most {most} were confirmed. Nothing was changed.',
    action: 'Others have been made since the plan was shown: look at the plan again.',
  },
  hubNotEmpty: {
    says: 'The hub {hub} is not empty: it has {identities} devices and modules and {configurations} configurations. Nothing was changed.',
    action: 'A drill restores into an empty hub: name another.',
  },
  drillDiffers: {
    says: 'What came of the drill is not what the backup holds. Devices, modules and configurations that differ or could not be restored: {count}.',
    action: 'Look at differences.ndjson and rest.ndjson beside the report of the run.',
    doc: { says: 'A drill found that the hub is not what the backup holds.' },
  },
  backupFailed: {
    says: 'The backup before the deletes failed: run {run} ended as "{state}". Nothing was deleted.',
    action: 'Look at that run, then start this one again.',
  },
} as const satisfies Record<string, CodeText>;

/** Why not all is deleted that the backup seems not to have. */
export const KEPT_TEXTS = {
  keptByAnyLine: {
    says: 'Not deleted although the backup seems not to have them: {count} devices and modules. Lines of the backup that do not tell whose they are: {lines}.',
    action: 'Look for "rejected" in the changes of the plan; delete what has to go by a devices file.',
  },
  keptByTheirLines: {
    says: 'Not deleted although the backup seems not to have them: {count} devices and modules. Lines of the backup that cannot be compared and name their devices: {lines}.',
    action: 'Look for "rejected" in the changes of the plan; delete what has to go by a devices file.',
  },
} as const satisfies Record<string, CodeText>;

/** What is said of names that were given, of which there is nothing. */
export const ONLY_TEXTS = {
  onlyNotFound: {
    says: 'Neither the hub nor the backup has a device of this name: {names}.',
    action:
      'Check it: upper and lower case count; a * at the end stands for all that begin so, and \\* for the star itself.',
  },
} as const satisfies Record<string, CodeText>;

export const sayOnly = speakerOf(ONLY_TEXTS);

export const sayKept = speakerOf(KEPT_TEXTS);

export const sayRestore = speakerOf(RESTORE_TEXTS);

export function restoreRefused<Name extends keyof typeof RESTORE_TEXTS>(
  key: Name,
  ...filling: Filling<(typeof RESTORE_TEXTS)[Name]>
): WorkRefused {
  return new WorkRefused(sayRestore(key, ...filling));
}
