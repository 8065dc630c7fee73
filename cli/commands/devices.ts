import type { CountView } from '../../src/lib/mirror/query/counts.ts';
import type { RowView } from '../../src/lib/mirror/query/rowView.ts';
import { readApp } from '../app/apiCall.ts';
import { type Connection, connectOrStart } from '../app/connection.ts';
import { type DeviceQuery, type DeviceRows, devicePages } from '../app/devicePages.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { usageError } from '../cliError.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { type DevicesLayout, renderCount, renderDevices } from '../render/devicesTable.ts';
import { formatCount } from '../render/format.ts';
import type { Output } from '../render/output.ts';
import type { TableLook } from '../render/runsTable.ts';
import { createStatusDisplay, type StatusDisplay } from '../render/statusDisplay.ts';

export interface DevicesFlags {
  readonly hub?: string;
  readonly prefix?: string;
  readonly status?: string;
  readonly edge?: boolean;
  /** `site=faro`, each. */
  readonly tag?: readonly string[];
  readonly modules?: boolean;
  /** Id. */
  readonly module?: string;
  readonly limit?: number;
  readonly all?: boolean;
  readonly count?: boolean;
  readonly by?: string;
  readonly data?: string;
}

const ROWS = 50;

/** `devices [QUERY]`: rows of the mirror, by id; or how many there are. */
export function devices(query: string | undefined, flags: DevicesFlags, output: Output): Promise<ExitCode> {
  const { by, count, data } = flags;
  const filters = filtersOf(query, flags);
  if (by !== undefined && !count) throw usageError('--by says what --count counts by.', 'Give both of them.');
  if (count) demandNoFilters(query, flags);
  if (flags.all && flags.limit !== undefined) throw usageError('--all has no limit.', 'Give --all or --limit.');
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      if (count) return await countDevices(connection, filters, by, output, signal);
      const limit = flags.all ? Number.POSITIVE_INFINITY : (flags.limit ?? ROWS);
      return await list(connection, { filters, limit, signal }, flags, output);
    } finally {
      await connection.close();
    }
  });
}

function filtersOf(query: string | undefined, flags: DevicesFlags): URLSearchParams {
  const { hub, prefix, status, edge, tag = [], modules, module } = flags;
  if (query !== undefined && prefix !== undefined) {
    throw usageError('The text before the flags is a prefix, too.', 'Give one of them.');
  }
  const filters = new URLSearchParams(tag.map((text): [string, string] => ['tag', text]));
  for (const [name, value] of Object.entries({ hub, prefix: query ?? prefix, status, edge, modules, module })) {
    if (value !== undefined) filters.set(name, String(value));
  }
  return filters;
}

/** Counts are kept for all devices of a hub, by groups. */
function demandNoFilters(query: string | undefined, flags: DevicesFlags): void {
  const { prefix, status, edge, tag, modules, module, limit, all } = flags;
  if ([query, prefix, status, edge, tag, modules, module, limit, all].every((flag) => flag === undefined)) return;
  throw usageError(
    '--count goes with --hub and --by alone.',
    'Devices are counted by groups: --by status, --by edge, --by tag.site.',
  );
}

async function list(
  connection: Connection,
  query: DeviceQuery,
  flags: DevicesFlags,
  output: Output,
): Promise<ExitCode> {
  const status = createStatusDisplay(output.stderr);
  const onScanned = (scanned: number) =>
    status.show({ text: `looking through the mirror: ${formatCount(scanned)} rows` });
  try {
    const pages = devicePages(connection, { ...query, onScanned });
    if (flags.all) {
      if (output.json) await output.printJsonArray(rowsOf(pages));
      else await printPages(pages, output, status, () => nothingText(connection, query));
      return EXIT.ok;
    }
    const found = await Array.fromAsync(pages);
    const rows = found.flatMap((page) => page.rows);
    status.end();
    output.printJson(rows);
    if (rows.length === 0) output.tell(nothingText(connection, query));
    else if (!output.json) for (const line of renderDevices(rows, lookOf(output)).lines) output.print(line);
    if (found.at(-1)?.hasMore)
      output.note(`There are more than these ${formatCount(rows.length)}: --limit N, or --all.`);
    return EXIT.ok;
  } finally {
    status.end();
  }
}

async function* rowsOf(pages: AsyncIterable<DeviceRows>): AsyncGenerator<readonly RowView[]> {
  for await (const { rows } of pages) yield rows;
}

/** All rows below one head, laid out as the first of them need it: they may be too many to be held. */
async function printPages(
  pages: AsyncIterable<DeviceRows>,
  output: Output,
  status: StatusDisplay,
  nothing: () => string,
): Promise<void> {
  let layout: DevicesLayout | undefined;
  for await (const { rows } of pages) {
    status.end();
    if (rows.length === 0) return output.tell(nothing());
    const table = renderDevices(rows, lookOf(output), layout);
    layout = table.layout;
    for (const line of table.lines) output.print(line);
  }
}

function lookOf(output: Output): TableLook {
  return { now: new Date(), paint: output.style, columns: output.columns };
}

function nothingText({ command }: Connection, { filters }: DeviceQuery): string {
  return [...filters.keys()].some((name) => name !== 'hub')
    ? 'No device in the mirror matches.'
    : `No devices in the mirror yet. ${command('mirror', 'status')} tells how it stands.`;
}

async function countDevices(
  connection: Connection,
  filters: URLSearchParams,
  by: string | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  const params = new URLSearchParams(filters);
  if (by !== undefined) params.set('by', by);
  const status = createStatusDisplay(output.stderr);
  const question = { path: `devices/count?${params}`, doing: 'a count of devices', signal, notYet: ['countUnderWay'] };
  try {
    let count: CountView | undefined;
    while (count === undefined) {
      count = await readApp<CountView>(connection, question);
      if (count === undefined) status.show({ text: 'counting the devices' });
    }
    status.end();
    output.printJson(count);
    for (const line of renderCount(count, lookOf(output))) output.print(line);
    return EXIT.ok;
  } finally {
    status.end();
  }
}
