import { setTimeout } from 'node:timers/promises';

import { afterAll, describe, expect, it } from 'vitest';

import { runCli } from '../cli/runCli.ts';
import { demandRest } from '../helpers/hubRest.ts';
import { linesText } from '../helpers/simulatedHub.ts';
import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';
import { hubStateForMirror, mirrorDifferences, mirrorState } from '../scenarios/mirrorOracle.ts';

const DEVICES = 1_500;
const AT_ONCE = 16;
const QUERY_LAG_MS = 1_500;
const ANY = { 'if-match': '*' };

/** Unkind: batches come twice, cut and late. The queries of the hub lag, too. */
const stackOf = (...hubArgs: readonly string[]) =>
  shareStack({
    mirror: true,
    hubArgs: ['--tier', 'S3', '--units', '10', '--query-lag-ms', String(QUERY_LAG_MS), ...hubArgs],
    settings: { HUB_TIER: 'S3', HUB_UNITS: '10' },
  });
const quietJobs = stackOf();
const tellingJobs = stackOf('--job-events');
afterAll(() => Promise.all([quietJobs.stop(), tellingJobs.stop()]));

async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `d-${from + at}`);
const put = (stack: TestStack, deviceId: string, more: object = {}, headers = {}) =>
  demandRest(stack.rest, 'PUT', `/devices/${deviceId}`, { deviceId, status: 'enabled', ...more }, headers);

async function provision(stack: TestStack): Promise<void> {
  const edges = ids(0, 10).map((id) => ({ id, capabilities: { iotEdge: true }, tags: { site: 'faro' } }));
  const leaves = ids(10, DEVICES).map((id, at) => ({
    id,
    tags: { site: at % 2 === 0 ? 'faro' : 'lagos', at },
    desired: { at, ünïcode: ['é', 1.5, { deep: true }] },
    ...(at < 50 ? { parent: `d-${at % 5}` } : {}),
  }));
  const modules = ids(20, 50).map((id) => ({ id, moduleId: 'valve', tags: { of: id } }));
  await stack.drop('fleet/devices.txt', linesText([...edges, ...leaves, ...modules]), NOW);
  expect((await stack.finalRecord('fleet/devices.txt')).state).toBe('completed');
}

/** Changes that events tell of: by REST, many at a time. */
async function change(stack: TestStack): Promise<void> {
  await each(ids(100, 250), (id) => demandRest(stack.rest, 'DELETE', `/devices/${id}`, undefined, ANY));
  await Promise.all([
    each(ids(300, 600), async (id) => {
      const patch = { tags: { site: null, floor: 3 }, properties: { desired: { at: `new ${id}` } } };
      await demandRest(stack.rest, 'PATCH', `/twins/${id}`, patch, ANY);
      await demandRest(stack.rest, 'PATCH', `/twins/${id}`, { tags: { deep: { er: id } } }, ANY);
    }),
    each(ids(100, 175), (id) => put(stack, id)),
    each(ids(DEVICES, DEVICES + 75), (id) => put(stack, id, { capabilities: { iotEdge: id.endsWith('7') } })),
    each(ids(20, 30), (id) => demandRest(stack.rest, 'DELETE', `/devices/${id}/modules/valve`, undefined, ANY)),
  ]);
}

async function equal(stack: TestStack): Promise<void> {
  // What queries show lags behind, and the oracle asks by query, too.
  await setTimeout(2 * QUERY_LAG_MS);
  const hub = await hubStateForMirror(stack);
  let left: string[] = [];
  await stack
    .until('a mirror that shows the registry', async () => {
      left = mirrorDifferences(await mirrorState(stack), hub);
      return left.length === 0;
    })
    .catch((error: unknown) => {
      throw new Error(`${left.length} differ:\n${left.slice(0, 10).join('\n')}`, { cause: error });
    });
}

async function reconcile(stack: TestStack, ...flags: readonly string[]) {
  const { code, stdout } = await runCli(['mirror', 'reconcile', '--json', ...flags, '--data', stack.data]);
  return { code, result: JSON.parse(stdout) as object };
}

describe('the mirror', () => {
  it('shows a registry that a run has filled and others have changed, without a reconcile', async () => {
    await tellingJobs.use(async (stack) => {
      await provision(stack);
      await change(stack);
      await equal(stack);
    });
  });

  it('does so where jobs emit no events; what no event tells is found and repaired by a reconcile, and nothing else', async () => {
    await quietJobs.use(async (stack) => {
      await provision(stack);
      await change(stack);
      await equal(stack);

      const scope = (await demandRest<{ deviceScope: string }>(stack.rest, 'GET', '/devices/d-9')).deviceScope;
      await each(ids(700, 850), (id) => put(stack, id, { status: 'disabled', statusReason: 'lost' }, ANY));
      await each(ids(900, 915), (id) => put(stack, id, { deviceScope: scope }, ANY));
      const drift = { missing: 0, extra: 0, different: 165 };
      expect(await reconcile(stack, '--dry-run')).toMatchObject({ code: 1, result: { ...drift, repaired: 0 } });
      expect(await reconcile(stack)).toMatchObject({ code: 0, result: { ...drift, repaired: 165 } });
      await equal(stack);
      expect(await reconcile(stack, '--dry-run')).toMatchObject({ code: 0, result: { ...drift, different: 0 } });
    });
  });
});
