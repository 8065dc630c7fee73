import { writeSync } from 'node:fs';
import { AppLoadError } from './appFiles.ts';
import { parseCommandLine } from './commandLine.ts';
import { type RunningHost, startHost } from './host.ts';
import { createHostLog, errorText } from './log.ts';

const options = parseCommandLine(process.argv.slice(2));
const log = createHostLog(options.logLevel);

/**
 * Standard output is for the ready line alone, and is written at once: `console` belongs to the app by now. False when
 * nobody reads it: a pipe broke, or the terminal was closed.
 */
function say(lines: readonly string[]): boolean {
  try {
    for (const line of lines) writeSync(process.stdout.fd, `${line}\n`);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPIPE' || code === 'EIO') return false;
    throw error;
  }
}

let host: RunningHost | undefined;
let stopping = false;

function stop(why: string): void {
  if (host === undefined || stopping) {
    // Nothing runs yet; or asked twice: no patience.
    process.exit(host === undefined ? 0 : 1);
  }
  stopping = true;
  log('info', 'host', `${why}: stopping.`);
  host.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log('error', 'host', errorText(error));
      process.exit(1);
    },
  );
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
// A log that nobody reads (a broken pipe, a closed terminal) is no reason to fall over in the middle of the work.
process.stderr.on('error', () => undefined);

try {
  host = await startHost(options, log);
  const { apiUrl, adminUrl, functions, routes } = host;
  const heard = say(
    options.json
      ? [JSON.stringify({ apiUrl, adminUrl, functions })]
      : [
          `${functions.length} functions: ${functions.join(', ')}`,
          ...routes.map((route) => `  ${route}`),
          `Ready: ${apiUrl} (administration: ${adminUrl}); Ctrl-C stops.`,
        ],
  );
  if (!heard) stop('Nobody reads its output');
} catch (error) {
  log('error', 'host', error instanceof Error ? error.message : String(error));
  for (const detail of error instanceof AppLoadError ? error.details : [errorText(error)]) log('debug', 'host', detail);
  process.exit(1);
}
