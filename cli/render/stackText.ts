/** What a person is told of a local stack that is ready. */

import { join } from 'node:path';

import type { Stack, StackHub } from '../../local/stack/index.ts';
import { type CommandText, shortPath } from './commandText.ts';
import { formatPlural } from './format.ts';
import type { Output } from './output.ts';

export interface ShownStack extends Pick<Stack, 'data' | 'apiUrl' | 'hubs'> {
  readonly ports: Pick<Stack['ports'], 'blob'>;
}

/** What is where. The connection strings are those of stand-ins that only this machine can reach. */
export function renderStack(stack: ShownStack, paint: Output['style']): readonly string[] {
  const row = (name: string, value: string): string => `  ${paint('dim', name.padEnd(13))}${value}`;
  const hubs = Object.entries(stack.hubs);
  // A single hub needs no name.
  const title = (alias: string): string => (hubs.length === 1 ? 'IoT hub' : `Hub ${alias}`);
  const data = shortPath(stack.data);
  return [
    '',
    paint('bold', 'HubKeeper is running on this machine.'),
    '',
    row('API', stack.apiUrl),
    ...hubs.map(([alias, hub]) => row(title(alias), hubText(hub))),
    row('Storage', `http://127.0.0.1:${stack.ports.blob}/devstoreaccount1`),
    row('Data, logs', `${data}, ${join(data, 'logs')}`),
    '',
    ...hubs.flatMap(([alias, { connectionString }]) =>
      connectionString === undefined
        ? []
        : [
            paint('dim', `  Connection string of the hub${hubs.length === 1 ? '' : ` ${alias}`}`),
            `  ${connectionString}`,
          ],
    ),
    paint('dim', `  All others, and that of the storage: ${join(data, 'stack.json')}`),
    '',
  ];
}

function hubText({ connectionString = '', adminUrl }: StackHub): string {
  const address = /HostName=([^;]+)/.exec(connectionString)?.[1];
  return address === undefined ? 'elsewhere, as its setting says' : `${address}  (its administration: ${adminUrl})`;
}

/** What the mirror shows of the sample. */
export function renderMirrored({ devices, modules }: { readonly devices: number; readonly modules: number }): string {
  return `  ${formatPlural(devices, 'device')} and ${formatPlural(modules, 'module')} are in the mirror.`;
}

/** What one can do now; said last, where it is read. */
export function renderHints(paint: Output['style'], command: CommandText, severalHubs: boolean): readonly string[] {
  const row = (name: string, value: string): string => `  ${paint('dim', name.padEnd(14))}${value}`;
  return [
    '',
    row('Drop a file', command('provision', 'FILE', ...(severalHubs ? ['--hub', 'ALIAS'] : []))),
    row('See runs', command('runs')),
    row('See devices', command('devices')),
    row('See a device', command('device', 'ID')),
    row('See mirror', command('mirror', 'status')),
    row('Stop', 'Ctrl-C (data stays; runs not suspended go on at the next start)'),
    '',
  ];
}
