import { parseArgs } from 'node:util';
import { demandSettings, type HubOptions, SETTING_NAMES, SETTING_RULES } from './hubOptions.ts';

export interface Command {
  readonly help: boolean;
  /** One line of JSON when ready, instead of text for people. */
  readonly json: boolean;
  readonly options: HubOptions;
}

const TEXT_OPTIONS = {
  name: { value: 'NAME', help: 'name of the hub (default hub-local)' },
  data: { value: 'DIR', help: 'keep registry, jobs, keys and ports here (default: in memory)' },
  port: { value: 'N', help: 'port of the hub (default: the one used before, else any free one)' },
  'admin-port': { value: 'N', help: 'port of the admin server, likewise' },
  'event-port': { value: 'N', help: 'port of the event endpoint, likewise' },
  'event-hub-name': { value: 'NAME', help: 'Event-Hubs-compatible name (default: made of the name of the hub)' },
  'event-partitions': { value: 'N', help: 'partitions of the events of a new hub (default 4)' },
  'consumer-groups': { value: 'A,B', help: 'consumer groups besides $Default' },
  'identity-storage': { value: 'CONNECTION', help: 'storage that the managed identity of the hub may use' },
  'entra-key': { value: 'KEY', help: 'accept tokens of Entra ID that are signed with this key' },
  seed: { value: 'N', help: 'seed of the faults (default 1)' },
} as const;

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Parses the arguments of the command. Throws with a sentence about what is wrong. */
export function parseCommandLine(args: readonly string[]): Command {
  const textOption = { type: 'string' } as const;
  const settingOptions = SETTING_NAMES.map((name) => [
    kebab(name),
    { type: SETTING_RULES[name].kind === 'boolean' ? ('boolean' as const) : ('string' as const) },
  ]);
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(Object.keys(TEXT_OPTIONS).map((name) => [name, textOption])),
      ...Object.fromEntries(settingOptions),
    },
  }) as { values: Record<string, string | boolean | undefined> };
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const value = values[kebab(name)];
    if (value !== undefined) settings[name] = SETTING_RULES[name].kind === 'number' ? Number(value) : value;
  }
  demandSettings(settings);
  const text = (name: keyof typeof TEXT_OPTIONS) => values[name] as string | undefined;
  const number = (name: keyof typeof TEXT_OPTIONS) => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a whole number, not '${value}'.`);
    return Number(value);
  };
  const options = {
    ...settings,
    name: text('name'),
    data: text('data'),
    port: number('port'),
    adminPort: number('admin-port'),
    eventPort: number('event-port'),
    eventHubName: text('event-hub-name'),
    eventPartitions: number('event-partitions'),
    consumerGroups: text('consumer-groups')
      ?.split(',')
      .filter((name) => name !== ''),
    identityStorage: text('identity-storage'),
    entraKey: text('entra-key'),
    seed: number('seed'),
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { help: values.help === true, json: values.json === true, options: given };
}

export function helpText(): string {
  const line = (name: string, help: string) => `  --${name.padEnd(30)} ${help}`;
  const texts = Object.entries(TEXT_OPTIONS).map(([name, { value, help }]) => line(`${name} ${value}`, help));
  const settings = SETTING_NAMES.map((name) => {
    const rule = SETTING_RULES[name];
    const values = rule.kind === 'choice' ? ` ${rule.choices.join('|')}` : rule.kind === 'number' ? ' N' : '';
    const fallback = rule.kind === 'boolean' ? '' : ` (default ${rule.default})`;
    return line(`${kebab(name)}${values}`, `${rule.help}${fallback}`);
  });
  return [
    'An IoT Hub simulator on 127.0.0.1: the service-side REST surface over plain HTTP, and its events over AMQP.',
    '',
    line('json', 'print one line of JSON when ready'),
    ...texts,
    '',
    ...settings,
  ].join('\n');
}
