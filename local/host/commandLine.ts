import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { defaultDataFolder } from './dataFolder.ts';
import { type LogLevel, logLevels } from './log.ts';

export interface HostOptions {
  readonly appDirectory: string;
  readonly json: boolean;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly data: string;
  readonly hostId: string | undefined;
  /** The seed of unkind mode; undefined when it is off. */
  readonly unkind: number | undefined;
  readonly enableAuth: boolean;
  readonly blobScanMs: number;
  readonly logLevel: LogLevel;
}

function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** Reads the command line; a mistake in it, and `--help`, end the process as commander does. */
export function parseCommandLine(argv: readonly string[]): HostOptions {
  const command = new Command('host')
    .description('Runs an Azure Functions app (Node.js v4 model) on this machine.')
    .argument('[directory]', 'folder of the app (host.json, package.json)', '.')
    .option('--json', 'print one line of JSON when ready, nothing else, on standard output', false)
    .option('--port <number>', 'port on 127.0.0.1; 0 for a free one', wholeNumber(0, 65_535), 0)
    .option('--data <directory>', 'where keys and durable state are kept (default: .hubkeeper/hosts/<app>)')
    .option('--host-id <id>', 'name under which receipts and timers are kept in storage')
    .option('--unkind [seed]', 'deliver twice, late and out of order', wholeNumber(0, 2 ** 32 - 1))
    .option('--enable-auth', 'ask for function keys, as Azure does (keys.json in the data folder)', false)
    .option('--blob-scan-ms <ms>', 'pause between two looks for new blobs', wholeNumber(10, 3_600_000), 500)
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(logLevels).default('info'));
  command.parse(argv, { from: 'user' });
  type Given = Omit<HostOptions, 'appDirectory' | 'data' | 'unkind'>;
  const options = command.opts<Given & { readonly data?: string; readonly unkind?: number | true }>();
  const appDirectory = resolve(command.args[0] ?? '.');
  return {
    ...options,
    hostId: options.hostId,
    appDirectory,
    data: options.data === undefined ? defaultDataFolder(appDirectory) : resolve(options.data),
    unkind: options.unkind === true ? Math.floor(Math.random() * 2 ** 32) : options.unkind,
  };
}
