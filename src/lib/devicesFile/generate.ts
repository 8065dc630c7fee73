/** Devices files to try things with: any number of lines, the same ones for the same seed. */

import { createHash } from 'node:crypto';
import type { ImportMode } from './importMode.ts';

export interface GenerateOptions {
  readonly count: number;
  /** The same seed gives the same lines; keys too, so they are for trying things only. */
  readonly seed: string;
  /** Ids are `<prefix>00000001` and so on. Default `device-`. */
  readonly prefix?: string;
  /** Written into each line; without it lines name no mode. */
  readonly importMode?: ImportMode;
}

const SITES = ['aachen', 'bergen', 'cadiz', 'dublin', 'espoo', 'faro', 'gdansk', 'halmstad'];
const MODELS = ['thermo-2', 'thermo-3', 'flow-1', 'meter-7'];
const CHANNELS = ['stable', 'preview'];

/** Lines of about 400 bytes without newline: a sas device each, with keys, tags and desired properties. */
export function* generateDevices(options: GenerateOptions): Generator<string> {
  const { count, seed, prefix = 'device-', importMode } = options;
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`count must be a whole number, and is ${count}.`);
  if (!/^[A-Za-z0-9:.%_*?!(),=@;$'-]{0,100}$/.test(prefix)) {
    throw new RangeError('prefix must have at most 100 characters that device ids may have.');
  }
  const mode = importMode === undefined ? '' : `"importMode":"${importMode}",`;
  for (let number = 1; number <= count; number += 1) {
    // One hash a device, not one generator for all: a line depends on nothing but its seed and number.
    const digest = createHash('sha512').update(`${seed}/${number}`).digest();
    const primaryKey = digest.toString('base64', 0, 32);
    const secondaryKey = digest.toString('base64', 32, 64);
    const pick = <T>(from: readonly T[], byte: number): T | undefined => from[(digest[byte] ?? 0) % from.length];
    const id = JSON.stringify(prefix + String(number).padStart(8, '0'));
    yield `{"id":${id},${mode}"status":"enabled","statusReason":"",` +
      `"authentication":{"symmetricKey":{"primaryKey":"${primaryKey}","secondaryKey":"${secondaryKey}"},"type":"sas"},` +
      `"tags":{"site":"${pick(SITES, 0)}","model":"${pick(MODELS, 1)}","floor":${(digest[2] ?? 0) % 12}},` +
      `"properties":{"desired":{"interval":${10 + ((digest[3] ?? 0) % 20) * 5},"channel":"${pick(CHANNELS, 4)}",` +
      `"alarm":{"high":${60 + ((digest[5] ?? 0) % 300) / 10},"enabled":${((digest[6] ?? 0) & 1) === 1}}}},"capabilities":{"iotEdge":false}}`;
  }
}
