import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot, type Stack, type StackOptions, startStack } from '../../local/stack/index.ts';
import { toCliError } from '../cliError.ts';
import { type Connection, connectTo, dataFolder, shortPath } from '../connection.ts';
import { inspectFile } from '../drop.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { formatPlural } from '../format.ts';
import { withInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { showStackSteps } from '../stackSteps.ts';
import { dropAndWatch } from './provision.ts';

export interface LocalFlags {
  /** False with `--no-sample`. */
  readonly sample: boolean;
  readonly data?: string;
  readonly portApi?: number;
  readonly portHub?: number;
  readonly portHubAdmin?: number;
  readonly portBlob?: number;
  readonly portQueue?: number;
  readonly portTable?: number;
  /** `true` without a seed. */
  readonly unkind?: true | number;
  readonly enableAuth?: boolean;
  readonly hostArgs?: readonly string[];
  readonly hubArgs?: readonly string[];
  readonly setting?: Readonly<Record<string, string>>;
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
    blob: flags.portBlob,
    queue: flags.portQueue,
    table: flags.portTable,
  };
  return {
    data: dataFolder(flags.data),
    ports: Object.fromEntries(Object.entries(ports).filter(([, port]) => port !== undefined)),
    settings: flags.setting ?? {},
    hubArgs: flags.hubArgs ?? [],
    hostArgs: flags.hostArgs ?? [],
    ...(flags.unkind === undefined ? {} : { unkind: flags.unkind }),
    ...(flags.enableAuth === undefined ? {} : { enableAuth: flags.enableAuth }),
  };
}

/** Returns after Ctrl-C; fails when a part of the stack ends by itself. */
async function keepRunning(stack: Stack, flags: LocalFlags, output: Output, signal: AbortSignal): Promise<ExitCode> {
  const connection: Connection = { ...connectTo(stack), ownStack: stack };
  const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
  const broken = stack.broken.then((error) => Promise.reject(error));
  const work = (async () => {
    const fresh = await tellUnfinished(connection, output);
    if (flags.sample && fresh) await dropSample(connection, output, signal);
    if (!signal.aborted) for (const line of renderHints(output.style, flags.data)) output.print(line);
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
    await dropAndWatch(connection, { ...file, path: SAMPLE }, { batch: SAMPLE_BATCH, wait: true }, quiet, signal);
  } catch (error) {
    if (signal.aborted) return;
    const { message, action } = toCliError(error);
    output.note(`The sample was not provisioned: ${message}${action === undefined ? '' : `\n${action}`}`);
  }
}

function readyLine(stack: Stack): unknown {
  const { connectionString, connectionStrings, storageConnectionString, apiUrl, apiKey, adminUrl, hubAdminUrl, data } =
    stack;
  return {
    connectionString,
    connectionStrings,
    storageConnectionString,
    apiUrl,
    apiKey,
    adminUrl,
    hubAdminUrl,
    data,
    pids: { supervisor: process.pid, ...stack.pids() },
  };
}

/** What is where. The connection strings are those of stand-ins that only this machine can reach. */
export function renderStack(stack: Stack, paint: Output['style']): readonly string[] {
  const row = (name: string, value: string): string => `  ${paint('dim', name.padEnd(13))}${value}`;
  const hub = /HostName=([^;]+)/.exec(stack.connectionString)?.[1] ?? '';
  const data = shortPath(stack.data);
  return [
    '',
    paint('bold', 'HubKeeper is running on this machine.'),
    '',
    row('API', stack.apiUrl),
    row('IoT hub', `${hub}  (its administration: ${stack.hubAdminUrl})`),
    row('Storage', `http://127.0.0.1:${stack.ports.blob}/devstoreaccount1`),
    row('Data, logs', `${data}, ${join(data, 'logs')}`),
    '',
    paint('dim', '  Connection string of the hub'),
    `  ${stack.connectionString}`,
    paint('dim', `  All others, and that of the storage: ${join(data, 'stack.json')}`),
    '',
  ];
}

/** What one can do now; said last, where it is read. */
function renderHints(paint: Output['style'], data: string | undefined): readonly string[] {
  // What is printed can be pasted, with another folder too.
  const where = data === undefined ? '' : ` --data ${data}`;
  const row = (name: string, value: string): string => `  ${paint('dim', name.padEnd(13))}${value}`;
  return [
    '',
    row('Drop a file', `npm run provision -- FILE${where}`),
    row('See runs', `npx hubkeeper runs${where}`),
    row('Stop', 'Ctrl-C (the data stays, unfinished runs go on at the next start)'),
    '',
  ];
}
