import { Readable } from 'node:stream';
import { NOW, type TestStack, withStack } from '../helpers/stack.ts';
import { readRegistry } from './readRegistry.ts';
import { judge } from './registryOracle.ts';

export interface KeepRunResult {
  /** The first few of what report and registry contradict each other in, over all files. */
  readonly contradictions: readonly string[];
  /** Outcome counts of the updates. */
  readonly updated: Readonly<Record<string, number>> | undefined;
  /** The error of the deletes before they were confirmed, and how many devices there were then. */
  readonly stopped: { readonly code: string | undefined; readonly devices: number };
  readonly deleted: Readonly<Record<string, number>> | undefined;
  readonly devicesAtTheEnd: number;
  readonly exports: number;
}

/** So many lines of the second file delete: a fifth of the hub. */
const DELETED_PART = 5;

/**
 * Makes devices, a third of them disabled with a reason, each with keys of its own; drops a file that updates them all and
 * names neither keys nor status; then one that deletes a fifth of them, without and with a confirmation.
 */
export async function keepRun(devices: number, timeoutMs = 90_000): Promise<KeepRunResult> {
  return withStack({}, async (stack) => {
    const contradictions: string[] = [];
    const run = async (name: string, line: (index: number) => object, count: number, metadata = {}) => {
      const before = readRegistry(stack.data);
      const lines = Array.from({ length: count }, (_, index) => `${JSON.stringify(line(index))}\n`);
      await upload(stack, name, lines, { ...NOW, ...metadata });
      const record = await stack.finalRecord(name, timeoutMs);
      const rows = await stack.rows(record);
      const judgement = judge({ before, after: readRegistry(stack.data), file: lines.join(''), rows });
      contradictions.push(...judgement.contradictions.slice(0, 10));
      return record;
    };

    await run(
      'before/devices.txt',
      (index) => ({
        id: `d${index}`,
        importMode: 'create',
        authentication: { type: 'sas', symmetricKey: { primaryKey: key(2 * index), secondaryKey: key(2 * index + 1) } },
        ...(index % 3 === 0 ? { status: 'disabled', statusReason: `case ${index}` } : { status: 'enabled' }),
        tags: { seen: 1 },
      }),
      devices,
    );
    const updated = await run(
      'update/devices.txt',
      (index) => ({ id: `d${index}`, importMode: 'update', tags: { seen: 2 } }),
      devices,
    );
    const { exportsCreated } = (await stack.hubState()).jobs;

    const remove = (index: number) => ({ id: `d${index * DELETED_PART}`, importMode: 'delete' });
    const fifth = Math.floor(devices / DELETED_PART);
    const stopped = await run('delete/devices.txt', remove, fifth);
    const then = (await stack.hubState()).devices;
    const confirm = /HostName=([^;]+)/.exec(stack.connectionString)?.[1] ?? '';
    const deleted = await run('confirmed/devices.txt', remove, fifth, { confirm });
    return {
      contradictions,
      updated: updated.outcomes,
      stopped: { code: stopped.error?.code, devices: then },
      deleted: deleted.outcomes,
      devicesAtTheEnd: (await stack.hubState()).devices,
      exports: exportsCreated,
    };
  });
}

function key(index: number): string {
  return Buffer.from(String(index).padStart(32, '.')).toString('base64');
}

async function upload(
  stack: TestStack,
  name: string,
  lines: readonly string[],
  metadata: Record<string, string>,
): Promise<void> {
  await stack.blobs
    .getContainerClient('provision')
    .getBlockBlobClient(name)
    .uploadStream(
      Readable.from(
        lines.map((line) => Buffer.from(line)),
        { objectMode: false },
      ),
      4 * 1024 * 1024,
      2,
      {
        metadata,
      },
    );
}
