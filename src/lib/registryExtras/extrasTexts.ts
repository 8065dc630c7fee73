/** What is said of the parts of a registry that no import can restore, where the hub itself says nothing. */

import { type CodeText, speakerOf } from '../codeText.ts';

// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const EXTRAS_TEXTS = {
  configurationChanged: { says: 'The configuration was changed by somebody else since it was compared; it is left as it is.', action: 'Look at what changed, and restore again.' },
  configurationLost: { says: 'The configuration had to be deleted to change its content, and neither the new one nor the one before could be created: {error}', action: 'Create it from the configurations of the backup.' },
  configurationPutBack: { says: 'The configuration had to be deleted to change its content, and the hub refused the new one: {error} It has been created again as it was.', action: 'Correct the configuration in the hub by hand.' },
  configurationUnusable: { says: 'Line {line} of {file} is no configuration that a hub takes: {reason}', action: 'Create the configuration by hand, or restore the others.' },
  contentKept: { says: 'The hub kept other values than it was sent, in {fields}.', action: 'Compare the configuration with the backup, and correct it by hand.' },
  deviceDisabled: { says: 'The device is disabled, and a hub shows modules of a disabled device to nobody who signs in with a shared access policy.', action: 'Enable the device and restore again, or give the app a Microsoft Entra identity on the hub.' },
  extrasUnreadable: { says: '{file} cannot be read: line {line} {problem}.', action: 'Take another backup: this one is damaged.' },
  keysNotShown: { says: 'The hub shows no keys of the module, and to write managedBy without them would make new ones.', action: 'Check the rights of the app on the hub, and restore again.' },
  madeByDeployment: { says: 'The module has no keys of its own, as a deployment makes modules; its managedBy cannot be changed without giving it keys.', action: 'Delete the module and restore again, if it is to be as in the backup.' },
  moduleChanged: { says: 'Somebody else changed the module each time it was to be written.', action: 'Restore again once nobody else writes to it.' },
  moduleNotFound: { says: 'The module is not there.', action: 'Find out from the report why it was not restored, and restore again.' },
  moduleNotMade: { says: 'The hub took the deployment, but made no such module.', action: 'Look up the edge device in the hub, and deploy the module to it by hand.' },
} as const satisfies Record<string, CodeText>;

export const extrasText = speakerOf(EXTRAS_TEXTS);
