import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, type Stack, type StackOptions, startStack } from '../../local/stack/index.ts';
import { defined } from '../../src/lib/defined.ts';
import { type Connection, connectTo, dataFolder } from '../app/connection.ts';
import { inspectFile } from '../app/drop.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { waitForMirror } from '../app/mirrored.ts';
import { toCliError } from '../cliError.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { formatPlural } from '../render/format.ts';
import type { Output } from '../render/output.ts';
import { shortId } from '../render/runWords.ts';
import { showStackSteps } from '../render/stackSteps.ts';
import { renderHints, renderMirrored, renderStack } from '../render/stackText.ts';
import { dropAndWatch } from './provision.ts';

export interface LocalFlags {
  /** False with `--no-sample`. */
  readonly sample: boolean;
  readonly data?: string;
  /** Aliases of more hubs. */
  readonly hub?: readonly string[];
  readonly portApi?: number;
  readonly portHub?: number;
  readonly portHubAdmin?: number;
  readonly portHubEvents?: number;
  readonly portBlob?: number;
  readonly portQueue?: number;
  readonly portTable?: number;
  /** `true` without a seed. */
  readonly unkind?: true | number;
  readonly enableAuth?: boolean;
  readonly hostArgs?: readonly string[];
  readonly hubArgs?: readonly string[];
  readonly setting?: Readonly<Record<string, string>>;
  /** Where the app sends its telemetry. */
  readonly otlp?: string;
}

const SAMPLE = join('samples', 'devices.txt');
const SAMPLE_BATCH = 'sample';

/** `local`: the whole of HubKeeper on this machine, until Ctrl-C. */
export async function local(flags: LocalFlags, output: Output): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const stack = await start(flags, output, signal);
    try {
      output.printJson(readyLine(stack));
      for (const line of renderStack(stack, output.style)) output.printUnredacted(line);
      return await keepRunning(stack, flags, output, signal);
    } finally {
      output.note('Stopping.');
      await stack.stop();
    }
  });
}

async function start(flags: LocalFlags, output: Output, signal: AbortSignal): Promise<Stack> {
  const steps = showStackSteps(output);
  try {
    return await startStack({ ...stackOptions(flags), onStarting: steps.onStarting, signal });
  } finally {
    steps.end();
  }
}

function stackOptions(flags: LocalFlags): StackOptions {
  const ports = {
    api: flags.portApi,
    hub: flags.portHub,
    hubAdmin: flags.portHubAdmin,
    hubEvents: flags.portHubEvents,
    blob: flags.portBlob,
    queue: flags.portQueue,
    table: flags.portTable,
  };
  return {
    data: dataFolder(flags.data),
    ports: Object.fromEntries(Object.entries(ports).filter(([, port]) => port !== undefined)),
    settings: { ...(flags.otlp === undefined ? {} : otlpSettings(flags.otlp)), ...flags.setting },
    moreHubs: flags.hub ?? [],
    hubArgs: flags.hubArgs ?? [],
    hostArgs: flags.hostArgs ?? [],
    ...defined({ unkind: flags.unkind, enableAuth: flags.enableAuth }),
  };
}

/** A person who watches does not want to wait for a minute. */
function otlpSettings(url: string): Readonly<Record<string, string>> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_METRIC_EXPORT_INTERVAL: '5000', OTEL_BSP_SCHEDULE_DELAY: '1000' };
}

/** Returns after Ctrl-C; fails when a part of the stack ends by itself. */
async function keepRunning(stack: Stack, flags: LocalFlags, output: Output, signal: AbortSignal): Promise<ExitCode> {
  const connection: Connection = { ...connectTo(stack, flags.data), ownStack: stack };
  const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
  const broken = stack.broken.then((error) => Promise.reject(error));
  const work = (async () => {
    const fresh = await tellUnfinished(connection, output);
    if (flags.sample && fresh) await dropSample(connection, output, signal);
    if (!signal.aborted)
      for (const line of renderHints(output.style, connection.command, hasSeveralHubs(connection))) output.print(line);
    await stopped;
  })();
  await Promise.race([work, broken]);
  return EXIT.ok;
}

/** True when the stack has never seen a run. */
async function tellUnfinished(connection: Connection, output: Output): Promise<boolean> {
  let runs = 0;
  const unfinished: string[] = [];
  for await (const { runId, final } of connection.runs.ids()) {
    runs += 1;
    if (!final) unfinished.push(runId);
  }
  if (unfinished.length > 0) {
    output.note(`${formatPlural(unfinished.length, 'unfinished run')} of last time: ${unfinished.join(', ')}`);
    for (const runId of unfinished) {
      // A record that cannot be read is told of by `runs`.
      const record = await connection.runs.read(runId).catch(() => undefined);
      if (record?.suspendedAt === undefined) continue;
      output.note(`Run ${runId} is suspended. Let it go on with:\n  ${connection.command('resume', shortId(runId))}`);
    }
  }
  return runs === 0;
}

/** The same drop, watched in the same way, as `hubkeeper provision samples/devices.txt` makes. */
async function dropSample(connection: Connection, output: Output, signal: AbortSignal): Promise<void> {
  const path = join(projectRoot(), SAMPLE);
  if (!existsSync(path)) return;
  output.note(`First start: ${SAMPLE} is dropped.`);
  // With --json the ready line is all that stdout gets.
  const quiet: Output = { ...output, printJson: () => undefined };
  try {
    const file = await inspectFile(path);
    const flags = { batch: SAMPLE_BATCH, wait: true, ...(hasSeveralHubs(connection) ? { hub: 'default' } : {}) };
    const code = await dropAndWatch(connection, { ...file, path: SAMPLE }, flags, quiet, signal);
    if (code !== EXIT.ok) return;
    output.note('The mirror asks the hub for them.');
    const mirrored = await waitForMirror(connection, signal);
    if (mirrored !== undefined) output.print(`\n${renderMirrored(mirrored)}`);
  } catch (error) {
    if (signal.aborted) return;
    const { message, action } = toCliError(error);
    output.note(`The sample was not provisioned: ${message}${action === undefined ? '' : `\n${action}`}`);
  }
}

function hasSeveralHubs({ hubs = {} }: Connection): boolean {
  return Object.keys(hubs).length > 1;
}

function readyLine(stack: Stack): unknown {
  const {
    connectionString,
    connectionStrings,
    eventsConnectionString,
    storageConnectionString,
    apiUrl,
    apiKey,
    adminUrl,
    hubAdminUrl,
    hubs,
    data,
  } = stack;
  return {
    connectionString,
    connectionStrings,
    eventsConnectionString,
    storageConnectionString,
    apiUrl,
    apiKey,
    adminUrl,
    hubAdminUrl,
    hubs,
    data,
    pids: { supervisor: process.pid, ...stack.pids() },
  };
}
