import { stripVTControlCharacters } from 'node:util';

import { vi } from 'vitest';

import { run } from '../../cli/program.ts';
import type { CliResult } from './runCli.ts';

/** Runs a command in this process, as if stdout and stderr were a terminal of that width. */
export async function onTerminal(columns: number, args: readonly string[]): Promise<CliResult> {
  const [stdout, stderr] = [catchOutput(process.stdout, columns), catchOutput(process.stderr, columns)];
  try {
    const code = await run(args);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    stdout.restore();
    stderr.restore();
  }
}

function catchOutput(stream: NodeJS.WriteStream, columns: number): { text(): string; restore(): void } {
  const { isTTY, columns: own } = stream;
  const written: string[] = [];
  const spy = vi.spyOn(stream, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  Object.assign(stream, { isTTY: true, columns });
  return {
    text: () => stripVTControlCharacters(written.join('')),
    restore: () => {
      spy.mockRestore();
      Object.assign(stream, { isTTY, columns: own });
    },
  };
}

/** The lines that a terminal of that width would tear. */
export function tornLines(text: string, columns: number): readonly string[] {
  return text.split('\n').filter((line) => line.length > columns);
}
