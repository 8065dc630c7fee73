import { type CodeText, type Said, speakerOf } from '../../codeText.ts';

/** Why an event is put to the dead letters. No text quotes the event. */
export const DEAD_LETTER_TEXTS = {
  noDeviceId: {
    says: 'The event names no device.',
    action: 'Find out what sends such events to this Event Hub; a hub does not.',
  },
  idInvalid: {
    says: 'The event names a device or module by an id that no hub takes.',
    action: 'Find out what sends such events to this Event Hub; a hub does not.',
  },
  idsDiffer: {
    says: 'The body of the event tells of another identity than the message. The registry is asked for the one of the message.',
  },
  bodyLost: {
    says: 'The body of the event was lost between the Functions host and the app. The registry is asked instead.',
    action: 'Update the Functions host: it drops bodies that are empty.',
  },
  bodyTooLarge: {
    says: 'The body of the event has {bytes} bytes; no event of a hub has more than {limit}.',
    action: 'Find out what sends such events to this Event Hub; a hub does not.',
    doc: { says: 'The body of the event is larger than any of a hub.' },
  },
  notJson: { says: 'The body of the event is not JSON. The registry is asked instead.' },
  wrongShape: {
    says: 'In the body of the event, {field} is not {expected}. The registry is asked instead.',
    doc: { says: 'The body of the event is no twin. The registry is asked instead.' },
  },
  noVersion: {
    says: 'The event tells a change of a twin without its version. The registry is asked instead.',
  },
  twinTooLarge: {
    says: 'The event has {section} of {size} bytes, and hubs take {limit}. The registry is asked instead.',
    doc: { says: 'A section of the twin is larger than a hub takes. The registry is asked instead.' },
  },
  twinTooDeep: {
    says: 'The event has {section} nested deeper than a hub takes. The registry is asked instead.',
    doc: { says: 'A section of the twin is nested deeper than a hub takes. The registry is asked instead.' },
  },
  rowTooLarge: {
    says: 'With this event the row would be larger than the store can hold. The registry is asked instead.',
  },
  notTaken: {
    says: 'The store did not take what became of this event, and would not at another time: {error}.',
    action: 'Have the event fed again by "hubkeeper mirror replay" once the cause is gone.',
    doc: { says: 'The store did not take what became of this event, and would not at another time.' },
  },
} as const satisfies Record<string, CodeText>;

export type DeadLetterCode = keyof typeof DEAD_LETTER_TEXTS;
export type DeadReason = Said<DeadLetterCode>;

export const deadReason = speakerOf(DEAD_LETTER_TEXTS);
