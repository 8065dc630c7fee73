import { writeSync } from 'node:fs';
import { AppLoadError } from './appFiles.ts';
import { parseCommandLine } from './commandLine.ts';
import { type RunningHost, startHost } from './host.ts';
import { createHostLog, errorText } from './log.ts';

const options = parseCommandLine(process.argv.slice(2));
const log = createHostLog(options.logLevel);

/** Standard output is for the ready line alone, and is written at once: `console` belongs to the app by now. */
const say = (line: string) => writeSync(process.stdout.fd, `${line}\n`);

let host: RunningHost | undefined;
let stopping = false;

function stop(signal: NodeJS.Signals): void {
  if (host === undefined || stopping) {
    // Nothing runs yet; or asked twice: no patience.
    process.exit(host === undefined ? 0 : 1);
  }
  stopping = true;
  log('info', 'host', `${signal}: stopping.`);
  host.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log('error', 'host', errorText(error));
      process.exit(1);
    },
  );
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

try {
  host = await startHost(options, log);
  const { apiUrl, adminUrl, functions, routes } = host;
  if (options.json) {
    say(JSON.stringify({ apiUrl, adminUrl, functions }));
  } else {
    say(`${functions.length} functions: ${functions.join(', ')}`);
    for (const route of routes) {
      say(`  ${route}`);
    }
    say(`Ready: ${apiUrl} (administration: ${adminUrl}); Ctrl-C stops.`);
  }
} catch (error) {
  log('error', 'host', error instanceof Error ? error.message : String(error));
  if (!(error instanceof AppLoadError)) {
    log('debug', 'host', errorText(error));
  }
  process.exit(1);
}
