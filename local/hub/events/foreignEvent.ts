/**
 * Events that are none of the hub: whoever may send to an Event Hub, or a device through the built-in endpoint, may put there
 * what he likes, and readers have to cope with it.
 */

import { isJsonObject } from '../twin/twinLimits.ts';

export interface ForeignEvent {
  /** Of the partition where it stands; it need not be in the event. */
  readonly deviceId: string;
  /** Application properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Beside those that each event has. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The AMQP section that holds the body. Default: data. */
  readonly section?: 'data' | 'value';
}

/** @throws Error with a sentence that names what is wrong */
export function readForeignEvent(value: Readonly<Record<string, unknown>>): ForeignEvent {
  const { deviceId, properties = {}, annotations = {}, body = '', section = 'data', ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw new Error(`Unknown member '${other}' of an event.`);
  if (typeof deviceId !== 'string') throw new Error('deviceId must be a text.');
  if (typeof body !== 'string') throw new Error('body must be a text.');
  if (section !== 'data' && section !== 'value') throw new Error('section must be data or value.');
  return {
    deviceId,
    properties: texts('properties', properties),
    annotations: texts('annotations', annotations),
    body,
    section,
  };
}

function texts(name: string, value: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(value) || Object.values(value).some((text) => typeof text !== 'string')) {
    throw new Error(`${name} must be an object of texts.`);
  }
  return value as Readonly<Record<string, string>>;
}
