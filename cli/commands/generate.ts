import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { defined } from '../../src/lib/defined.ts';
import { generateDevices } from '../../src/lib/devicesFile/generate.ts';
import type { ImportMode } from '../../src/lib/devicesFile/importMode.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { outFileError } from '../app/outFile.ts';
import { usageError } from '../cliError.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { formatBytes, formatPlural } from '../render/format.ts';
import type { Output } from '../render/output.ts';

export interface GenerateFlags {
  /** File to write; stdout without it. */
  readonly out?: string;
  /** Default `1`, with a warning. */
  readonly seed?: string;
  readonly prefix?: string;
  readonly importMode?: ImportMode;
}

const DEFAULT_SEED = '1';
const CHUNK_CHARACTERS = 64 * 1024;

/** `generate N`: a devices file, for trying things out. */
export async function generate(count: number, flags: GenerateFlags, output: Output): Promise<ExitCode> {
  const { out, seed = DEFAULT_SEED, prefix, importMode } = flags;
  if (output.json && out === undefined) {
    throw usageError('With --json, stdout is not free for the devices.', 'Give a file with --out.');
  }
  if (flags.seed === undefined) {
    output.note(
      'The keys are made from the seed 1: whoever runs this command has the same ones. For devices that others can reach give a --seed that nobody can guess.',
    );
  }
  let bytes = 0;
  const content = async function* (): AsyncGenerator<string> {
    let chunk = '';
    const options = {
      count,
      seed,
      ...defined({ prefix, importMode }),
    };
    for (const line of generateDevices(options)) {
      chunk += `${line}\n`;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      bytes += Buffer.byteLength(chunk);
      yield chunk;
      chunk = '';
      // A file or a pipe may take everything at once: without a pause Ctrl-C would never be heard.
      await setImmediate();
    }
    bytes += Buffer.byteLength(chunk);
    if (chunk !== '') yield chunk;
  };
  return withInterrupt(async (signal) => {
    try {
      // Stdout is left open, and is never waited for in memory: the pipeline goes at the pace of its reader.
      if (out === undefined) await pipeline(Readable.from(content()), process.stdout, { end: false, signal });
      else await pipeline(Readable.from(content()), createWriteStream(out), { signal });
    } catch (error) {
      throw out === undefined ? error : outFileError(error, out);
    }
    if (out !== undefined) output.print(`${formatPlural(count, 'device')}, ${formatBytes(bytes)}: ${out}`);
    output.printJson({ file: out, devices: count, bytes });
    return EXIT.ok;
  });
}
