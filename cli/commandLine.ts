import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { STATUS_WORDS } from '../src/lib/mirror/query/rowQuery.ts';
import { RESTORE_MODES } from '../src/lib/restore/restoreMode.ts';
import { RUN_STATES } from '../src/lib/runs/runRecord.ts';
import {
  addCheckFlags,
  addOptionFlags,
  importModeOption,
  parseBatch,
  parseConfirm,
  parseHub,
  parseLeastOne,
  parseLimit,
  parsePort,
  parseState,
  parseWhole,
} from './app/optionFlags.ts';
import type { BackupFlags } from './commands/backup.ts';
import type { BackupsFlags } from './commands/backups.ts';
import type { CancelFlags } from './commands/cancel.ts';
import type { CheckFlags } from './commands/check.ts';
import type { DeleteAllFlags } from './commands/deleteAll.ts';
import type { DeviceFlags } from './commands/device.ts';
import type { DevicesFlags } from './commands/devices.ts';
import type { GenerateFlags } from './commands/generate.ts';
import type { LocalFlags } from './commands/local.ts';
import type { MirrorFlags, ReconcileFlags } from './commands/mirror.ts';
import type { PlanAllFlags } from './commands/planAll.ts';
import type { ProvisionFlags } from './commands/provision.ts';
import type { RestoreFlags } from './commands/restore.ts';
import type { ResumeFlags } from './commands/resume.ts';
import type { RunFlags } from './commands/run.ts';
import type { RunsFlags } from './commands/runs.ts';
import type { SuspendFlags } from './commands/suspend.ts';
import type { UndoFlags } from './commands/undo.ts';
import { EXIT, type ExitCode } from './exitCode.ts';
import { createOutput, type Output } from './render/output.ts';
import { wrap } from './render/wrap.ts';
import { version } from './version.ts';

const EPILOGUE = [
  'Exit codes: 0 all well; 1 finished, but lines failed, or plan, check or verify found something; 2 wrong usage, settings or input; 3 the work itself failed.',
  'An app in Azure is reached through HUBKEEPER_STORAGE (a connection string; or HUBKEEPER_STORAGE__blobServiceUri, to use your Azure identity), and for backups, the mirror, cancel, suspend and resume through HUBKEEPER_API and HUBKEEPER_API_KEY too. Without these, the local stack that is running is used.',
];

/** The verbs and their flags. What a verb needs is loaded when it is used: --help and check stay quick. */
export function createCommandLine(finish: (exitCode: ExitCode) => void): Command {
  const helpWidth = Math.min(process.stdout.columns ?? 100, 120);
  const program = new Command('hubkeeper')
    .description('Looks after the device registry of Azure IoT hubs: drop a file, and its devices are provisioned.')
    .version(version(), '-V, --version')
    .exitOverride()
    // Errors are written by whoever runs the command line.
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ helpWidth })
    .helpCommand(false)
    .addHelpText('after', EPILOGUE.map((text) => `\n${wrap(text, 0, helpWidth).join('\n')}`).join('\n'));

  /** The verb's last step: its own flags, apart from --json, and where to write. */
  const act = async <Flags extends object>(
    flags: Flags & { readonly json?: boolean },
    action: (flags: Flags, output: Output) => Promise<ExitCode>,
  ): Promise<void> => {
    const { json, ...own } = flags;
    finish(await action(own as unknown as Flags, createOutput(json === true)));
  };

  addOptionFlags(
    verb(program, 'provision <file>', 'drop a devices file, and watch its run to the report')
      .option('--hub <alias>', 'the hub to provision (needed when the app has more than one)', parseHub)
      .option('--batch <name>', 'folder of the drop and of its results (default: the time)', parseBatch),
  )
    .addOption(configurationsOption())
    .option('--report <dir>', 'download the report there')
    .option('--no-wait', 'return as soon as the file is dropped (there is no report yet)')
    .addOption(dataOption())
    .action((file: string, flags: ProvisionFlags) =>
      act(flags, async (own, output) => (await import('./commands/provision.ts')).provision(file, own, output)),
    );

  addCheckFlags(verb(program, 'check <file>', 'check a devices file on this machine; nothing is sent anywhere'))
    .addOption(configurationsOption())
    .option('--all', 'show every finding, not only the first 50 of a kind')
    .action((file: string, flags: CheckFlags) =>
      act(flags, async (own, output) => (await import('./commands/check.ts')).check(file, own, output)),
    );

  verb(
    program,
    'plan',
    'compare, and change nothing: a file, a backup or a run with a hub, or two files with each other',
  )
    .argument('[file]', 'what a drop of it would do to the hub')
    .argument('[file2]', 'what it takes from the first to this one, found on this machine')
    .option('--backup <name>', 'what a restore of it would do: its name, HUB/latest or latest')
    .option('--run <id>', 'what undoing this run would do')
    .option('--force', 'with --run: also put back what others have changed since')
    .addOption(restoreModeOption('(default: exact, which shows all differences)'))
    .addOption(onlyOption())
    .option('--to <alias>', 'the hub that it is compared with (default: that of the backup)', parseHub)
    .option('--accept-count-mismatch', 'also a backup whose counts did not match')
    .option('--out <file>', 'write all changes there, one line of JSON each, without keys')
    .addOption(dataOption())
    .action((file: string | undefined, file2: string | undefined, flags: PlanAllFlags) =>
      act(flags, async (own, output) => (await import('./commands/planAll.ts')).planAll([file, file2], own, output)),
    );

  verb(program, 'restore <backup>', 'bring a hub back to a backup: its name, HUB/latest or latest')
    .addOption(restoreModeOption(''))
    .addOption(onlyOption())
    .option('--to <alias>', 'the hub to restore to (default: that of the backup)', parseHub)
    .option('--confirm <hub>', "the hub's name: yes, write to it", parseConfirm)
    .option('--drill', 'into an empty hub, and compare: whether the backup can be restored')
    .option('--new-keys', 'devices that the backup has no keys of get new ones')
    .option('--check', 'compare the hub with the backup in the end')
    .option('--accept-count-mismatch', 'also a backup whose counts did not match')
    .addOption(dataOption())
    .action((name: string, flags: RestoreFlags) =>
      act(flags, async (own, output) => (await import('./commands/restore.ts')).restore(name, own, output)),
    );

  verb(program, 'undo <run>', 'put back what a run changed; the first characters of its id will do')
    .option('--force', 'also put back what others have changed since')
    .option('--confirm <hub>', "the hub's name: yes, write to it", parseConfirm)
    .addOption(dataOption())
    .action((id: string, flags: UndoFlags) =>
      act(flags, async (own, output) => (await import('./commands/undo.ts')).undo(id, own, output)),
    );

  verb(program, 'delete-all', 'delete all devices of a hub, after a backup')
    .option('--hub <alias>', 'the hub (needed when the app has more than one)', parseHub)
    .option('--prefix <text>', 'only devices whose id begins so')
    .option('--configurations', 'all configurations, too')
    .option('--accept-count-mismatch', 'go on although the counts of the backup do not match')
    .option('--confirm <hub>', "the hub's name: yes, delete them", parseConfirm)
    .addOption(dataOption())
    .action((flags: DeleteAllFlags) =>
      act(flags, async (own, output) => (await import('./commands/deleteAll.ts')).deleteAll(own, output)),
    );

  verb(program, 'generate', 'make a devices file for trying things out')
    .argument('<n>', 'how many devices', parseWhole)
    .option('--out <file>', 'write there instead of to stdout')
    .option('--seed <text>', 'the same seed gives the same devices and keys (default: 1, which everybody has)')
    .option('--prefix <text>', 'ids are PREFIX00000001 and so on (default: device-)', parsePrefix)
    .addOption(importModeOption('written into each line'))
    .action((count: number, flags: GenerateFlags) =>
      act(flags, async (own, output) => (await import('./commands/generate.ts')).generate(count, own, output)),
    );

  verb(program, 'runs', 'list the latest runs')
    .addOption(new Option('--limit <n>', 'how many, 1 to 200').argParser(parseLimit).default(20))
    .option('--hub <alias>', 'only runs of this hub', parseHub)
    .option('--state <state>', `only runs in this state: ${RUN_STATES.join(', ')}`, parseState)
    .addOption(dataOption())
    .action((flags: RunsFlags) =>
      act(flags, async (own, output) => (await import('./commands/runs.ts')).runs(own, output)),
    );

  verb(program, 'run <id>', 'show all about one run; the first characters of its id will do')
    .option('--watch', 'watch it to its end')
    .option('--report <dir>', 'download the report there')
    .addOption(dataOption())
    .action((id: string, flags: RunFlags) =>
      act(flags, async (own, output) => (await import('./commands/run.ts')).run(id, own, output)),
    );

  verb(program, 'cancel <id>', 'stop a run; what the hub has applied already stays')
    .addOption(dataOption())
    .action((id: string, flags: CancelFlags) =>
      act(flags, async (own, output) => (await import('./commands/cancel.ts')).cancel(id, own, output)),
    );

  verb(program, 'suspend <id>', 'hold a run between two steps; a job that the hub has begun goes on')
    .addOption(dataOption())
    .action((id: string, flags: SuspendFlags) =>
      act(flags, async (own, output) => (await import('./commands/suspend.ts')).suspend(id, own, output)),
    );

  verb(program, 'resume <id>', 'let a suspended run go on')
    .addOption(dataOption())
    .action((id: string, flags: ResumeFlags) =>
      act(flags, async (own, output) => (await import('./commands/resume.ts')).resume(id, own, output)),
    );

  verb(program, 'backup', 'back up the registry of a hub, and watch that to its end')
    .option('--hub <alias>', 'the hub to back up (needed when the app has more than one)', parseHub)
    .option('--no-wait', 'return as soon as it has begun')
    .addOption(dataOption())
    .action((flags: BackupFlags) =>
      act(flags, async (own, output) => (await import('./commands/backup.ts')).backup(own, output)),
    );

  verb(program, 'backups', 'list backups, newest first; verify them, or remove what need not be kept')
    .option('--hub <alias>', 'only those of this hub', parseHub)
    .option('--verify [backup]', 'read one (such as HUB/latest), or all, again and compare with what was written')
    .option('--prune', 'remove what BACKUP_KEEP does not keep')
    .option('--dry-run', 'with --prune: only say what would be removed, and why')
    .addOption(dataOption())
    .action((flags: BackupsFlags) =>
      act(flags, async (own, output) => (await import('./commands/backups.ts')).backups(own, output)),
    );

  verb(program, 'devices', 'list devices from the mirror, by id; or count them')
    .argument('[query]', 'only those whose id begins so, as with --prefix')
    .option('--hub <alias>', 'only those of this hub', parseHub)
    .option('--prefix <text>', 'only those whose id begins so')
    .addOption(new Option('--status <status>', 'only those with this status').choices([...STATUS_WORDS]))
    .option('--edge', 'only edge devices')
    .option('--no-edge', 'only devices that are none')
    .option(
      '--tag <path=value>',
      'only those with this tag, such as site=faro or place.floor=3 (may be repeated)',
      parseTag,
    )
    .option('--modules', 'their modules, too')
    .option('--module <id>', 'modules of this id instead of devices')
    .option('--limit <n>', 'how many (default: 50)', parseLeastOne)
    .option('--all', 'as many as there are')
    .option('--count', 'only how many there are; at most a minute old')
    .option('--by <what>', 'with --count: by hub, status, edge, authenticationType, parent or tag.PATH')
    .addOption(dataOption())
    .action((query: string | undefined, flags: DevicesFlags) =>
      act(flags, async (own, output) => (await import('./commands/devices.ts')).devices(query, own, output)),
    );

  verb(program, 'device <id>', 'show all that the mirror knows of a device')
    .option('--hub <alias>', 'the hub (needed when several have a device of this id)', parseHub)
    .addOption(dataOption())
    .action((id: string, flags: DeviceFlags) =>
      act(flags, async (own, output) => (await import('./commands/device.ts')).device(id, own, output)),
    );

  const mirror = program
    .command('mirror')
    .description('the mirror of the hubs: how it stands; compare it with them; try events again')
    .helpCommand(false);
  mirror.action(() => {
    mirror.outputHelp();
    finish(EXIT.usage);
  });

  verb(mirror, 'status', 'how far the mirror is behind, how its rows stand, and what is wrong')
    .addOption(dataOption())
    .action((flags: MirrorFlags) =>
      act(flags, async (own, output) => (await import('./commands/mirror.ts')).mirrorStatus(own, output)),
    );

  verb(mirror, 'replay', 'try events again that could not be used')
    .addOption(dataOption())
    .action((flags: MirrorFlags) =>
      act(flags, async (own, output) => (await import('./commands/mirror.ts')).mirrorReplay(own, output)),
    );

  verb(mirror, 'reconcile', 'compare the mirror with a hub, repair what differs, and watch that to its end')
    .option('--hub <alias>', 'the hub (needed when the app has more than one)', parseHub)
    .option('--dry-run', 'only say what differs; exit code 1 if anything does')
    .addOption(dataOption())
    .action((flags: ReconcileFlags) =>
      act(flags, async (own, output) => (await import('./commands/mirror.ts')).mirrorReconcile(own, output)),
    );

  verb(program, 'local', 'run all of HubKeeper on this machine: storage, a hub simulator, the app')
    .option('--data <dir>', 'where to keep everything (default: .hubkeeper)')
    .option('--hub <alias>', 'one more hub, under this alias (may be repeated)', parseMoreHubs)
    .option('--no-sample', 'do not drop samples/devices.txt at the first start')
    .option('--port-api <n>', 'port of the app', parsePort)
    .option('--port-hub <n>', 'port of the hub simulator', parsePort)
    .option('--port-hub-admin <n>', "port of the simulator's administration", parsePort)
    .option('--port-hub-events <n>', "port of the simulator's event endpoint", parsePort)
    .option('--port-blob <n>', 'port of the blob service', parsePort)
    .option('--port-queue <n>', 'port of the queue service', parsePort)
    .option('--port-table <n>', 'port of the table service', parsePort)
    .option('--unkind [seed]', 'the host is as unkind as the cloud can be', parseWhole)
    .option('--enable-auth', 'the API asks for keys, as in Azure')
    .option('--otlp <url>', 'send traces, metrics and logs of the app to this OTLP/HTTP endpoint', parseUrl)
    .option('--setting <name=value>', 'a setting for the app (may be repeated)', parseSetting)
    .option('--hub-args <text>', 'further arguments for the hub simulator', splitArguments)
    .option('--host-args <text>', 'further arguments for the Functions host', splitArguments)
    .action((flags: LocalFlags) =>
      act(flags, async (own, output) => (await import('./commands/local.ts')).local(own, output)),
    );

  program
    .command('help')
    .description('show all about a command')
    .argument('[command]')
    .action((name: string | undefined) => {
      const asked = name === undefined ? program : program.commands.find((command) => command.name() === name);
      if (asked === undefined) throw new CommanderError(1, 'commander.unknownCommand', `unknown command '${name}'`);
      asked.outputHelp();
    });

  return program;
}

function verb(program: Command, nameAndArguments: string, description: string): Command {
  return program
    .command(nameAndArguments)
    .description(description)
    .option('--json', 'print the result as one line of JSON, and nothing else, on stdout');
}

function configurationsOption(): Option {
  return new Option('--configurations <file>', 'configurations that go into the same import job, one a line');
}

function restoreModeOption(otherwise: string): Option {
  const help = `missing: only what is not there; overwrite: also what differs; exact: also deletes the rest ${otherwise}`;
  return new Option('--mode <mode>', help.trim()).choices([...RESTORE_MODES]);
}

function onlyOption(): Option {
  const help = 'only this device and its modules, or all that begin so: dev-* (may be repeated)';
  return new Option('--only <id>', help).argParser((id: string, earlier: readonly string[] = []) => [...earlier, id]);
}

function dataOption(): Option {
  return new Option('--data <dir>', 'use the local stack that keeps its data there (default: .hubkeeper)');
}

function parseMoreHubs(text: string, earlier: readonly string[] = []): readonly string[] {
  const alias = parseHub(text);
  if (alias === 'default') throw new InvalidArgumentError('The first hub is called default: give another alias.');
  return earlier.includes(alias) ? earlier : [...earlier, alias];
}

function parseTag(text: string, earlier: readonly string[] = []): readonly string[] {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError('Write it as PATH=VALUE, such as site=faro.');
  return [...earlier, text];
}

function parsePrefix(text: string): string {
  if (!/^[A-Za-z0-9:._-]{0,100}$/.test(text)) {
    throw new InvalidArgumentError('Use at most 100 letters, digits and : . _ - characters.');
  }
  return text;
}

function parseSetting(text: string, earlier: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write it as NAME=VALUE.');
  return { ...earlier, [name]: value };
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('Write it as http://HOST:PORT.');
  return text;
}

function splitArguments(text: string): readonly string[] {
  return text.split(/\s+/).filter((part) => part !== '');
}
