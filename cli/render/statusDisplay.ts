import { redact } from '../../src/lib/redact.ts';
import { type Progress, plainProgress, statusLine } from './progress.ts';

/** Shows what goes on while a command works: on stderr, so that results on stdout stay clean. */
export interface StatusDisplay {
  show(progress: Progress): void;
  /** A line that stays, above what is shown. */
  say(line: string): void;
  /** Takes the line away (terminal), or writes what was held back (plain). */
  end(): void;
}

export interface StatusStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 120;
const PLAIN_EVERY_MS = 5000;

/** A line that updates in place on a terminal; elsewhere plain lines when something changed, at most one in five seconds. */
export function createStatusDisplay(stream: StatusStream, environment: NodeJS.ProcessEnv = process.env): StatusDisplay {
  return stream.isTTY === true && environment.TERM !== 'dumb'
    ? createTerminalDisplay(stream, hasUnicode(environment))
    : createPlainDisplay(stream);
}

function createTerminalDisplay(stream: StatusStream, unicode: boolean): StatusDisplay {
  const startedAt = Date.now();
  let progress: Progress | undefined;
  let frame = 0;
  const draw = (): void => {
    if (progress === undefined) return;
    const look = { columns: (stream.columns ?? 80) - 1, unicode, frame, elapsedMs: Date.now() - startedAt };
    frame += 1;
    stream.write(`\r${redact(statusLine(progress, look))}\u001b[K`);
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  return {
    show: (next) => {
      const isFirst = progress === undefined;
      progress = next;
      if (isFirst) draw();
    },
    say: (line) => {
      stream.write(`\r\u001b[K${redact(line)}\n`);
      draw();
    },
    end: () => {
      clearInterval(timer);
      if (progress !== undefined) stream.write('\r\u001b[K');
      progress = undefined;
    },
  };
}

function createPlainDisplay(stream: StatusStream): StatusDisplay {
  let shown = '';
  let latest = '';
  let quietUntil = 0;
  let timer: NodeJS.Timeout | undefined;
  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (latest === shown) return;
    shown = latest;
    quietUntil = Date.now() + PLAIN_EVERY_MS;
    stream.write(`${redact(shown)}\n`);
  };
  return {
    show: (progress) => {
      latest = plainProgress(progress);
      const wait = quietUntil - Date.now();
      if (wait <= 0) write();
      else timer ??= setTimeout(write, wait).unref();
    },
    say: (line) => {
      stream.write(`${redact(line)}\n`);
    },
    end: () => {
      clearTimeout(timer);
    },
  };
}

/** UTF-8 is the rule on terminals of today; a locale that says otherwise is believed. */
function hasUnicode(environment: NodeJS.ProcessEnv): boolean {
  if (environment.TERM === 'linux') return false;
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  return locale === '' || /utf-?8/i.test(locale);
}
