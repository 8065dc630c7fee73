import { StackError } from '../stack/stackError.ts';
import { helpText, parseCommandLine } from './commandLine.ts';
import { startHub } from './index.ts';

/** Starts the hub and keeps it running until it is told to stop, or nobody listens any more. */
async function main(args: readonly string[]): Promise<void> {
  const command = parseCommandLine(args);
  if (command.help) {
    console.log(helpText());
    return;
  }
  const hub = await startHub(command.options);
  const { close, ...facts } = hub;
  // Before it is said to be ready: whoever reads that may stop it at once.
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // Nobody reads what it says: a pipe broke, or the terminal was closed.
  process.stdout.on('error', stop);
  process.stderr.on('error', () => undefined);
  if (command.json) {
    console.log(JSON.stringify(facts));
  } else {
    console.log(`IoT Hub simulator '${hub.name}' is ready.\n`);
    for (const [policy, connectionString] of Object.entries(hub.connectionStrings)) {
      console.log(`${policy}:\n  ${connectionString}`);
    }
    console.log(`\nevents (Event Hubs):\n  ${hub.eventsConnectionString}`);
    console.log(`\nAdmin server: ${hub.adminUrl}/state`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof StackError && error.action !== undefined) console.error(error.action);
  process.exit(2);
});
