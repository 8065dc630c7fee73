/** Who managed what a run deletes, where an export is its pre-image, against the simulated hub. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readEffectsBy } from '../../../../src/lib/provisioning/effects/readEffects.ts';
import type { Epoch } from '../../../../src/lib/provisioning/run/epoch.ts';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { finishPreImage } from '../../../../src/lib/provisioning/steps/finishPreImage.ts';
import { HubError, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { rowsOf } from '../../../../src/lib/storage/ndjson.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { type SimulatedHub, withSimulatedHub } from '../../../helpers/simulatedHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

interface Told {
  /** `id/moduleId: managedBy`, sorted; undefined: no blob. */
  readonly managers: readonly string[] | undefined;
  /** Devices of which the hub was asked for modules. */
  readonly asked: readonly string[];
  readonly record: ProvisionRun;
}

type ListModules = RegistryClient['listModules'];

const MANY = Array.from({ length: 201 }, (_, at) => ({ id: `never${at}`, importMode: 'delete' }));
const FILE = [
  { id: 'gone', importMode: 'delete' },
  { id: 'odd', importMode: 'deleteIfMatchETag', eTag: 'bm8=' },
  { id: 'part', moduleId: 'valve', importMode: 'delete' },
  { id: 'edge', importMode: 'delete' },
  { id: 'off', importMode: 'delete' },
  { id: 'bare', importMode: 'delete' },
  { id: 'kept', tags: { v: 1 } },
  ...MANY,
];

async function makeFleet(client: RegistryClient): Promise<void> {
  await client.createDevice({ deviceId: 'edge', capabilities: { iotEdge: true } });
  await client.createDevice({ deviceId: 'bare' });
  for (const deviceId of ['gone', 'odd', 'part', 'off', 'kept']) {
    await client.createDevice({ deviceId });
    await client.createModule({ deviceId, moduleId: 'valve', managedBy: `of ${deviceId} – "ü"` });
    await client.createModule({ deviceId, moduleId: 'pump' });
  }
  const off = await client.getDevice('off');
  if (off !== undefined) await client.updateDevice({ ...off, status: 'disabled' });
}

async function tell(
  file: readonly object[],
  {
    list = (real) => real,
    metadata,
  }: { list?: (real: ListModules, hub: SimulatedHub) => ListModules; metadata?: Record<string, string> } = {},
): Promise<Told> {
  const asked: string[] = [];
  let current: SimulatedHub;
  const wrap = (client: RegistryClient): RegistryClient => ({
    ...client,
    listModules: (id, options) => {
      asked.push(id);
      return list(client.listModules, current)(id, options);
    },
  });
  const work = async (hub: SimulatedHub): Promise<Told> => {
    current = hub;
    const { client, context } = hub;
    await makeFleet(client);
    const record = await hub.provision(file, { confirm: client.hubName, ...metadata });
    expect(record.error).toBeUndefined();
    expect(record.jobs.export).toBeDefined();
    const dry = record.options?.dryRun === true;
    const { preImage } = dry ? {} : await readEffectsBy(context)(record.runId);
    if (preImage?.managers === undefined) return { managers: undefined, asked: asked.sort(), record };
    const blob = context.storage.container(preImage.container).getBlockBlobClient(preImage.managers);
    const rows = await Array.fromAsync(rowsOf<{ id: string; moduleId: string; managedBy: string | null }>(blob));
    const managers = rows.map(({ id, moduleId, managedBy }) => `${id}/${moduleId}: ${managedBy}`).sort();
    return { managers, asked: asked.sort(), record };
  };
  return withSimulatedHub(azurite.connectionString, work, wrap);
}

const KNOWN = ['gone', 'odd', 'part'].flatMap((id) => [`${id}/pump: null`, `${id}/valve: of ${id} – "ü"`]);
// The hub does not show the modules of a disabled device.
const ASKED = ['gone', 'odd', 'off', 'part'];

function hubError(retryable: boolean): HubError {
  return new HubError({
    code: retryable ? 'ThrottlingException' : 'Forbidden',
    message: 'not now',
    kind: retryable ? 'throttled' : 'unauthorized',
    retryable,
    outcomeUnknown: false,
    status: retryable ? 429 : 403,
  });
}

describe('who managed what a run deletes', () => {
  it('is asked for beside an export, of deleted devices and of devices of deleted modules alone', async () => {
    const { managers, asked, record } = await tell(FILE);
    expect(managers).toEqual(KNOWN);
    expect(asked).toEqual(ASKED);
    expect(record.state).toBe('completedWithFailures');
  });

  it('is asked for again while the hub is in trouble', async () => {
    const failed = new Set<string>();
    const list =
      (real: ListModules): ListModules =>
      async (id, options) => {
        if (failed.has(id)) return real(id, options);
        failed.add(id);
        throw hubError(true);
      };
    const { managers, asked } = await tell(FILE, { list });
    expect(managers).toEqual(KNOWN);
    expect(asked).toEqual(ASKED.flatMap((id) => [id, id]));
  });

  it.each([
    ['refuses to show it', false],
    ['is in trouble for long', true],
  ])('stays unknown where the hub %s, and the run goes on', async (_what, retryable) => {
    const list = (): ListModules => async () => {
      throw hubError(retryable);
    };
    const { managers, asked, record } = await tell(FILE, { list });
    expect(managers).toBeUndefined();
    expect(asked.length).toBeLessThanOrEqual(retryable ? 40 : 4);
    expect(record.outcomes?.succeeded).toBeGreaterThan(0);
  });

  it('is not asked for by a dry run, nor of what is not deleted', async () => {
    expect(await tell(FILE, { metadata: { dryrun: 'true' } })).toMatchObject({ managers: undefined, asked: [] });
    const updates = [{ id: 'kept', tags: { v: 1 } }, ...MANY.map(({ id }) => ({ id, tags: { v: 1 } }))];
    expect(await tell(updates)).toMatchObject({ managers: undefined, asked: [] });
  });

  it('is what the attempt says that was through first, when two are at it', async () => {
    let attempts = 0;
    const list =
      (real: ListModules, { context }: SimulatedHub): ListModules =>
      async (id, options) => {
        if (id !== 'gone') return real(id, options);
        attempts += 1;
        if (attempts > 1) return real(id, options);
        const [run] = (await context.runs.survey()).records.filter(({ phase }) => phase !== undefined);
        const { runId = '', jobs } = (run ?? {}) as Partial<ProvisionRun>;
        const epoch = jobs?.export?.epoch as Epoch | undefined;
        if (epoch === undefined) throw new Error('no export');
        expect(await finishPreImage(context, { runId, epoch })).toEqual({ status: 'ready' });
        // As if the other had gone on, and deleted them.
        return [];
      };
    const { managers, record } = await tell(FILE, { list });
    expect(attempts).toBe(2);
    expect(record.preImage?.epoch).toEqual(record.jobs.export?.epoch);
    expect(managers).toEqual(KNOWN);
  });
});
