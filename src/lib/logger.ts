import { redact } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Domain code logs through this; what it prints has passed the redaction. */
export interface Logger {
  log(level: LogLevel, message: string): void;
  /** The same logger, with `key=value` pairs before each message. */
  scope(fields: Readonly<Record<string, string>>): Logger;
}

/** A logger that writes redacted lines to `write`. */
export function createLogger(write: (level: LogLevel, message: string) => void): Logger {
  const scoped = (prefix: string): Logger => ({
    log: (level, message) => write(level, redact(`${prefix}${message}`)),
    scope: (fields) =>
      scoped(
        `${prefix}${Object.entries(fields)
          .map(([key, value]) => `${key}=${value} `)
          .join('')}`,
      ),
  });
  return scoped('');
}
