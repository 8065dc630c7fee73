/** What is wrong with a question to the mirror, or why it cannot be answered. */

import { type CodeText, type Filling, speakerOf } from '../../codeText.ts';
import { HubKeeperError } from '../../errors.ts';
import { roleAction } from '../../roles.ts';

export const MIRROR_QUERY_TEXTS = {
  mirrorOff: {
    says: 'The mirror is off: the setting MIRROR_EVENTS names no Event Hub.',
    action: 'Set it to the Event Hub that the events of the hub are routed to (docs/mirror.md), and start again.',
  },
  queryInvalid: {
    says: '{name} must be {expected}.',
    action: 'Correct it.',
    doc: { says: 'A parameter of the query cannot be read; the message says how it must be.' },
  },
  'queryInvalid:unknown': {
    says: 'There is no parameter {name}. There are: {names}.',
    action: 'Correct it.',
    doc: { says: 'There is no such parameter; the message names those there are.' },
  },
  deviceUnknown: {
    says: 'The mirror has no device {id}.',
    action: 'Mind upper and lower case. If it is new, hubkeeper mirror status tells how far behind the mirror is.',
    doc: { says: 'The mirror has no device of that id.' },
  },
  deviceInSeveral: {
    says: 'The hubs {hubs} each have a device {id}.',
    action: 'Name the hub that is meant: hub in a request, --hub in a command.',
    doc: { says: 'Several hubs have a device of that id.' },
  },
  tooManyGroups: {
    says: 'By {by} the devices fall into more than {most} groups.',
    action: 'Count by something that devices have in common.',
    doc: { says: 'By this the devices fall into more than 5,000 groups.' },
  },
  countUnderWay: {
    says: 'The devices are being counted: {done} of {all} parts are done.',
    action: 'Ask again in a moment; what has been counted is kept.',
  },
  storeUnavailable: {
    says: 'The store of the mirror does not answer, or throttles.',
    action: 'Ask again in a moment; if it stays so, look at GET /api/health.',
  },
  'storeUnavailable:role': {
    says: 'The store of the mirror refuses the identity of the app.',
    action: roleAction('tables'),
  },
  storageUnavailable: {
    says: 'The storage account of the app does not answer: {why}.',
    action: 'Ask again in a moment; if it stays so, look at GET /api/health.',
    doc: { says: 'The storage account of the app does not answer; the message says why.' },
  },
} as const satisfies Record<string, CodeText>;

type Key = keyof typeof MIRROR_QUERY_TEXTS;

export const sayOfQuery = speakerOf(MIRROR_QUERY_TEXTS);

export type MirrorQueryCode = ReturnType<typeof sayOfQuery>['code'];

/** A question to the mirror that cannot be answered as it was asked, or not now. */
export class MirrorQueryError extends HubKeeperError {
  override readonly name = 'MirrorQueryError';
}

export function queryError<Name extends Key>(
  key: Name,
  ...filling: Filling<(typeof MIRROR_QUERY_TEXTS)[Name]>
): MirrorQueryError {
  return new MirrorQueryError(sayOfQuery(key, ...filling));
}
