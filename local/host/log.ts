import { Console } from 'node:console';
import { Writable } from 'node:stream';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];

/** Writes one event. `source` is a function's name, or the part of the host that speaks. */
export type HostLog = (level: LogLevel, source: string, message: string) => void;

/**
 * Log to standard error, one line per event: time, level, source, message. Line breaks inside a message (stacks, mostly)
 * are indented, so that a line that begins with a time is always a new event.
 */
export function createHostLog(minimum: LogLevel = 'info'): HostLog {
  const threshold = logLevels.indexOf(minimum);
  return (level, source, message) => {
    if (logLevels.indexOf(level) < threshold) {
      return;
    }
    const text = message.trimEnd().replaceAll(/\r?\n/g, '\n    ');
    process.stderr.write(`${new Date().toISOString()} ${level.toUpperCase().padEnd(7)} [${source}] ${text}\n`);
  };
}

/**
 * Sends the process-wide `console` to the log: standard output belongs to the host's ready line.
 * `currentSource` names the function that runs at the moment, or the app itself.
 */
export function captureConsole(log: HostLog, currentSource: () => string): void {
  const sink = (level: LogLevel) =>
    new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        log(level, currentSource(), chunk.toString());
        done();
      },
    });
  const normal = new Console({ stdout: sink('info'), stderr: sink('error') });
  const warning = new Console({ stdout: sink('debug'), stderr: sink('warning') });
  globalThis.console = Object.assign(normal, {
    warn: warning.warn.bind(warning),
    debug: warning.debug.bind(warning),
  });
}

/** The text of anything that was thrown, with its stack where it has one. */
export function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
}
