/**
 * Every finding of the check of `configurations.txt`: code → sentence, and what to do about it. `{names}` are filled with
 * numbers, field paths and words of our own, never with values: the content of a deployment can hold passwords.
 */

import type { ReasonText } from '../textFile/reasonText.ts';

/** Lines that are not imported until someone fixes them. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const CONFIGURATION_REJECTS = {
  lineTooLong: { says: 'The line has {length} bytes; the longest that is read has {limit}.', action: 'Check that each configuration stands on a line of its own.' },
  badUtf8: { says: 'The line is not UTF-8.', action: 'Save the file as UTF-8.' },
  badJson: { says: 'The line is not valid JSON: at column {column}, {problem}.', action: 'Write one whole JSON object on one line.' },
  notAnObject: { says: 'The line is not a JSON object.', action: 'Write one JSON object per line, without brackets around or commas between the objects.' },
  nestedTooDeep: { says: '{path} is nested more than {limit} levels deep.', action: 'Flatten it.' },
  keyTwice: { says: '{path} is there more than once, in different upper and lower case; a hub reads these as the same key.', action: 'Keep one of them.' },
  wrongType: { says: '{path} must be {expected}.', action: 'Correct its value, or leave it out where it is optional.' },
  idMissing: { says: 'The line has no "id".', action: 'Add "id" with the id of the configuration.' },
  configurationId: { says: "id is none that a hub takes: it has 1 to 128 lower-case letters, digits or - + % _ * ! '.", action: 'Rename the configuration.' },
  importModeUnknown: { says: 'importMode is not "createOrUpdateIfMatchETag", the only mode that configurations have.', action: 'Write this one, or leave it out to overwrite whatever is there.' },
  etagMissing: { says: 'importMode "createOrUpdateIfMatchETag" compares the ETag, and the line has no "etag".', action: 'Add it, or leave out importMode to overwrite whatever is there.' },
  contentMissing: { says: 'The line has no content.', action: 'Add content.deviceContent, content.moduleContent or content.modulesContent.' },
  contentMixed: { says: 'content has {kinds}; a configuration has one kind of content.', action: 'Make a configuration of its own for each.' },
  contentKey: { says: '{path} has a key that does not begin with "properties.desired".', action: 'Write keys such as "properties.desired.interval".' },
  edgeAgentMissing: { says: 'content.modulesContent has no "$edgeAgent".', action: 'Add it: a deployment says by it which modules run.' },
  duplicate: { says: 'The line is a duplicate of line {first}: both have the same id.', action: 'Keep one of the two.' },
} as const satisfies Record<string, ReasonText>;

/** Lines that are imported, although something in them has no effect. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const CONFIGURATION_WARNINGS = {
  unknownKey: { says: '{path} is no part of a configuration and has no effect.', action: 'Remove it, or correct it.' },
} as const satisfies Record<string, ReasonText>;

/** Trouble of the file as a whole: nothing is imported, of the devices file neither. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const CONFIGURATION_FILE_REASONS = {
  configurationsTooLarge: { says: '{file} has {bytes} bytes; configurations are read up to {limit}.', action: 'Check that it is the right file: a hub holds 100 configurations at most.' },
  configurationsTooMany: { says: '{file} has more than {limit} lines.', action: 'Check that it is the right file: a hub holds 100 configurations at most.' },
  configurationsCompressed: { says: '{file} is compressed; configurations are read as plain text only.', action: 'Unpack it.' },
  configurationsUnreadable: { says: '{file} cannot be read: {problem}', action: 'Write one JSON object per line, one line per configuration, in UTF-8; or remove the file.' },
} as const satisfies Record<string, ReasonText>;

export type ConfigurationRejectCode = keyof typeof CONFIGURATION_REJECTS;
export type ConfigurationWarningCode = keyof typeof CONFIGURATION_WARNINGS;
export type ConfigurationFileCode = keyof typeof CONFIGURATION_FILE_REASONS;
