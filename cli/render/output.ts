import { once } from 'node:events';
import { styleText } from 'node:util';

import { redact } from '../../src/lib/redact.ts';
import { wrapProse } from './wrap.ts';

export type Style = Parameters<typeof styleText>[0];

/** Where a command writes: results on stdout, everything said along the way on stderr. */
export interface Output {
  /** True when stdout is for a script: exactly one JSON value, nothing else. */
  readonly json: boolean;
  readonly stderr: NodeJS.WriteStream;
  /** Width of the terminal that stdout is; undefined when it is none. */
  readonly columns: number | undefined;
  /** A line of the result, redacted. Nothing with `json`. */
  print(line?: string): void;
  /** A sentence of the result: redacted, in lines that fit the terminal, commands whole. Nothing with `json`. */
  tell(text: string): void;
  /** A line of the result that is meant to show a development key. Nothing with `json`. */
  printUnredacted(line: string): void;
  /** The one JSON value, on one line. Nothing without `json`. */
  printJson(value: unknown): void;
  /** The same of an array that is too large to be held: written as it comes, each time waiting for who reads it. */
  printJsonArray(parts: AsyncIterable<readonly unknown[]>): Promise<void>;
  /** A line on stderr, redacted. */
  note(line: string): void;
  /** Colour for a line of the result, where the terminal has colours and NO_COLOR is not set. */
  style(style: Style, text: string): string;
}

export function createOutput(json: boolean): Output {
  const { stdout, stderr } = process;
  return {
    json,
    stderr,
    columns: stdout.isTTY ? stdout.columns : undefined,
    print: (line = '') => {
      if (!json) stdout.write(`${redact(line)}\n`);
    },
    tell: (text) => {
      if (json) return;
      for (const line of wrapProse(redact(text), stdout.isTTY ? stdout.columns : undefined)) stdout.write(`${line}\n`);
    },
    printUnredacted: (line) => {
      if (!json) stdout.write(`${line}\n`);
    },
    printJson: (value) => {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
    },
    printJsonArray: async (parts) => {
      let before = '[';
      for await (const part of parts) {
        if (!json || part.length === 0) continue;
        const text = before + part.map((item) => JSON.stringify(item)).join(',');
        before = ',';
        if (!stdout.write(text)) await once(stdout, 'drain');
      }
      if (json) stdout.write(before === '[' ? '[]\n' : ']\n');
    },
    note: (line) => {
      const columns = stderr.isTTY ? stderr.columns : undefined;
      for (const part of wrapProse(redact(line), columns)) stderr.write(`${part}\n`);
    },
    // styleText asks the stream itself, and NO_COLOR and FORCE_COLOR.
    style: (style, text) => styleText(style, text, { stream: stdout }),
  };
}
