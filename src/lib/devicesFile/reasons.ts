/**
 * Every finding of the devices-file check: code → sentence, and what to do about it. One table, so that documentation and
 * tests can enumerate it. `{names}` are filled with numbers, field paths and words of our own, never with text of the
 * line: a line holds device keys.
 */

import type { ReasonText } from '../textFile/reasonText.ts';

/** Lines that are not imported until someone fixes them. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const REJECT_REASONS = {
  lineTooLong: { says: 'The line has {length} bytes; the longest that is read has {limit}.', action: 'Check that each device stands on a line of its own; among the rejected lines there is only the start of it.' },
  badUtf8: { says: 'The line is not UTF-8: byte {byte} does not belong to a character.', action: 'Save the file as UTF-8.' },
  badJson: { says: 'The line is not valid JSON: at column {column}, {problem}.', action: 'Write one whole JSON object on one line.' },
  notAnObject: { says: 'The line is not a JSON object: it does not start with "{".', action: 'Write one JSON object per line, without brackets around or commas between the objects.' },
  byteOrderMarkInside: { says: 'The line starts with a byte order mark (U+FEFF), which editors do not show; files that were put together have one where the next begins.', action: "Take it out: sed $'s/^\\xEF\\xBB\\xBF//' FILE > NEW" },
  nestedTooDeep: { says: '{path} is nested more than {limit} levels deep.', action: 'Flatten it.' },
  keyTwice: { says: '{path} is there more than once, in different upper and lower case; a hub reads these as the same key.', action: 'Keep one of them.' },
  wrongType: { says: '{path} must be {expected}.', action: 'Correct its value, or leave it out where it is optional.' },
  idMissing: { says: 'The line has no "id".', action: 'Add "id" with the device id{hint}.' },
  idTooLong: { says: '{path} has {length} characters; a hub takes at most {limit}.', action: 'Shorten it.' },
  idCharacters: { says: "{path} has a character at position {position} that a hub does not take ({character}); allowed are ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '.", action: 'Rename it.' },
  importModeUnknown: { says: 'importMode is none of {modes}.', action: 'Use one of these, or leave it out.' },
  statusUnknown: { says: 'status is neither "enabled" nor "disabled".', action: 'Use one of the two.' },
  statusReasonTooLong: { says: 'statusReason has {length} characters; a hub takes at most {limit}.', action: 'Shorten it.' },
  authTypeUnknown: { says: 'authentication.type is none of "sas", "selfSigned", "certificateAuthority".', action: '{hint}.' },
  authTypeMissing: { says: 'authentication has thumbprints but no type.', action: 'Add "type": "selfSigned".' },
  authNone: { says: 'authentication.type "none" is not possible for a device.', action: 'Use "sas", "selfSigned" or "certificateAuthority".' },
  oneKeyOnly: { says: '{path} is missing while the other key is there; a hub takes both keys or neither.', action: 'Add it, or leave out both so that the hub makes them.' },
  keyNotBase64: { says: '{path} is not base64.', action: 'Write the key as base64 with padding and without blanks.' },
  keyLength: { says: '{path} holds {length} bytes; a key has {min} to {max}.', action: 'Use a key of allowed length.' },
  keysWithCertificate: { says: 'authentication has symmetric keys, but its type is "{type}".', action: 'Remove authentication.symmetricKey, or set the type to "sas".' },
  thumbprintWithoutSelfSigned: { says: 'authentication has thumbprints, but its type is "{type}".', action: 'Remove authentication.x509Thumbprint, or set the type to "selfSigned".' },
  thumbprintSeparators: { says: '{path} has separators; a hub takes hex digits only.', action: 'Remove the colons, dashes or blanks.' },
  thumbprintInvalid: { says: '{path} is not a certificate thumbprint: it must have 40 (SHA-1) or 64 (SHA-256) hex digits.', action: "Use the certificate's thumbprint, not the certificate." },
  etagMissing: { says: 'importMode "{mode}" compares the etag, and the line has no {path}.', action: 'Add "{path}", or use importMode "{instead}".' },
  leavesOut: { says: 'The line leaves out {fields}; an import would reset that on a device that exists, and with backupFirst "never" nobody reads what the device has.', action: 'Write it into the line, use importMode "create" for a new device, or set backupFirst to "auto".' },
  cannotMerge: { says: 'importMode "{mode}" merges into the twin that is there, and with backupFirst "never" nobody reads it.', action: 'Set backupFirst to "auto", or give the whole tags and desired properties in importMode "update".' },
  parentItself: { says: '{path} names the device itself as its parent.', action: 'Name the edge device that is its parent, or leave it out.' },
  parentOfModule: { says: 'The line is of a module and names a parent; only devices have parents.', action: 'Remove "parent".' },
  parentsDiffer: { says: '"parent", deviceScope and parentScopes do not name the same parent.', action: 'Keep "parent", and remove the scopes.' },
  tagsTooLarge: { says: 'tags have {size} bytes (keys and values as a hub counts them); a hub takes at most {limit}.', action: 'Shorten or remove tags.' },
  desiredTooLarge: { says: 'properties.desired has {size} bytes (keys and values as a hub counts them); a hub takes at most {limit}.', action: 'Shorten or remove properties.' },
  twinTooDeep: { says: '{path} is nested deeper than {limit} levels.', action: 'Flatten it.' },
  twinKeyTooLong: { says: 'A key in {path} has {length} bytes; a hub takes at most {limit}.', action: 'Shorten it.' },
  twinKeyCharacters: { says: 'A key in {path} has a character that a hub does not take in keys ({character}); not allowed are ".", "$", "#", blanks and control characters.', action: 'Rename the key.' },
  twinStringTooLong: { says: '{path} has {length} bytes; a hub takes at most {limit} in a string.', action: 'Shorten it.' },
  twinNumberRange: { says: '{path} is an integer beyond what a hub stores ({min} to {max}).', action: 'Write it as a string, or with an exponent (1.5e16) if it may be a float.' },
  twinNumberTooLarge: { says: '{path} is a number beyond what a float holds (about 1.8e308).', action: 'Write it as a string.' },
  nullInArray: { says: '{path} is null inside an array; a hub takes null only for a property that it is to delete.', action: 'Leave it out, or write a value of your own for it, such as "".' },
  credentialName: { says: '{path} looks like a key or another credential under a name that the format does not have, and the device would get others.', action: 'Write it as {field}, or remove it.' },
  tooManyCells: { says: 'The row has {cells} cells, the header has {columns}.', action: 'Put cells that hold the delimiter into quotes, and remove what is too much.' },
  duplicate: { says: 'The line is a duplicate of line {first}: both have the same {what}.', action: 'Keep one of the two.' },
} as const satisfies Record<string, ReasonText>;

/** Lines that are left out on purpose; nothing needs a fix. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const SKIP_REASONS = {
  plainFirstLine: { says: 'The first line is plain text, as in an export without keys.', action: 'Nothing to do.' },
  systemModule: { says: 'The line is an edge system module ($edgeAgent, $edgeHub): a hub makes these itself and refuses to import them.', action: 'Nothing to do; their configuration comes from the edge deployment.' },
} as const satisfies Record<string, ReasonText>;

/** Lines that are imported, although something in them will not have the effect that it seems to have. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const WARNINGS = {
  byteOrderMark: { says: 'The file starts with a byte order mark, which is left out.', action: 'Save the file as UTF-8 without it.' },
  idPlusOrHash: { says: 'The id has "+" or "#": older hubs took these in device ids, newer documentation says that they are not supported.', action: 'Prefer other characters for new devices.' },
  unknownKey: { says: '{path} is no part of the format and has no effect{hint}.', action: 'Remove it, or correct its name.' },
  keyCase: { says: '{path} is written in other upper and lower case than the format has it, and is taken as {meant}.', action: 'Write it as {meant}.' },
  repeatedKey: { says: 'The line has {path} more than once; the last one counts.', action: 'Keep one of them.' },
  managedByLost: { says: 'managedBy is no part of the import format and is lost.', action: 'Set it on the module afterwards.' },
  reportedNotWritten: { says: 'properties.reported belongs to the device; do not count on an import to write it.', action: 'Nothing to do: the device reports it again.' },
  moduleAuthNone: { says: 'authentication.type "none" is not possible for a module that one creates; it becomes "sas".', action: 'Write "sas".' },
  thumbprintsDiffer: { says: 'authentication.x509Thumbprint has one SHA-1 and one SHA-256 thumbprint; clients of Azure refuse such a pair, and whether a hub takes it is not known.', action: 'Write two of one kind.' },
  keylessExport: { says: '{lines} "authentication": null, as in an export without keys: what is not in the hub yet gets new symmetric keys, even if it had a certificate.', action: 'Export with keys to take keys and certificates along. What is in the hub keeps its own, unless missingKeys is "regenerate".' },
  thumbprintMissing: { says: 'authentication.type is "selfSigned" without a thumbprint: the identity cannot connect.', action: 'Add authentication.x509Thumbprint.' },
  parentNotWritten: { says: 'parent has no effect in mode {mode}, which does not write the identity.', action: 'Remove it, or use importMode "update".' },
  scopeForm: { says: '{path} has a scope of another form than hubs make (ms-azure-iot-edge://ID-TICKS), which is passed on as it is.', action: 'Name the parent by its device id in "parent" instead.' },
  nullInTwin: { says: '{path} is null: it deletes the property when a twin is updated, and means nothing in mode {mode}.', action: 'Remove it, or use importMode "updateTwin".' },
  unknownColumn: { says: 'Column {column} is not known and has no effect{hint}.', action: 'Remove it, or correct its name.' },
  namelessColumn: { says: 'Column {column} has values, the first of them in this row, and no name in the header: they have no effect.', action: 'Name it, such as "tags.site", or remove it.' },
  mixedColumn: { says: 'Column {column} mixes types: {examples}{hint}.', action: 'To have text in every row, put the cells into quotes.' },
  moreOfFile: { says: '{count} more of these are not listed.', action: 'The command "check" shows them all.' },
} as const satisfies Record<string, ReasonText>;

export type RejectCode = keyof typeof REJECT_REASONS;
export type SkipCode = keyof typeof SKIP_REASONS;
export type WarningCode = keyof typeof WARNINGS;
