import { afterAll, describe, expect, it } from 'vitest';

import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { runCli } from '../cli/runCli.ts';
import { hubRest } from '../helpers/hubRest.ts';
import { shareStack, type TestStack } from '../helpers/stack.ts';
import { differences, registryState } from '../scenarios/registryState.ts';
import { findSecrets } from '../scenarios/secretScan.ts';

const shared = shareStack({ settings: { HUB_TIER: 'S3' }, unkind: false, moreHubs: ['drill'] });
afterAll(() => shared.stop());

const lines = (...values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const state = (stack: TestStack) => registryState(stack.rest);

/** Two gateways, one below the other, and a pump with a module below one of them. */
async function dropFleet(stack: TestStack, parent: 'up' | 'down'): Promise<void> {
  await stack.drop(
    'default/fleet/devices.txt',
    lines(
      { id: 'up', capabilities: { iotEdge: true } },
      { id: 'down', capabilities: { iotEdge: true }, parent: 'up' },
      { id: 'pump-1', tags: { site: 'faro' }, parent },
      { id: 'pump-2', status: 'disabled', statusReason: 'lost' },
      { id: 'pump-1', moduleId: 'meter', properties: { desired: { interval: 5 } } },
    ),
  );
  expect(await stack.finalRecord('default/fleet/devices.txt')).toMatchObject({ state: 'completed' });
}

/** The name of the hub, as the command says it that was not confirmed. */
const nameIn = (stderr: string) => /--confirm (\S+)/.exec(stderr)?.[1] ?? '';

async function cli(stack: TestStack, ...args: string[]) {
  const found = await runCli([...args, '--data', stack.data]);
  const json = args.includes('--json') && found.stdout !== '' ? (JSON.parse(found.stdout) as WorkRun) : undefined;
  return { ...found, json };
}

describe('the command line', () => {
  it('plans, restores, drills and deletes all, each confirmed by the name of the hub', async () => {
    await shared.use(async (stack) => {
      await dropFleet(stack, 'down');
      await stack.rest('PUT', '/configurations/twins', {
        id: 'twins',
        content: { deviceContent: { 'properties.desired.channel': 'stable' } },
        targetCondition: "tags.site='nowhere'",
        priority: 3,
      });
      const before = await state(stack);
      const key = before.devices['pump-1']?.authentication.keys?.[0] ?? '';
      const { body } = await stack.api('POST', 'backups', { hub: 'default' });
      const made = await stack.finalRun<WorkRun>((body as WorkRun).runId);
      const backup = String(made.result?.['backup']);

      await stack.rest('PATCH', '/twins/pump-1', { tags: { site: 'oslo' } });
      await stack.rest('DELETE', '/devices/pump-2', undefined, { 'if-match': '*' });
      const plan = await cli(stack, 'plan', '--backup', 'default/latest');
      expect(plan).toMatchObject({ code: 1, stdout: expect.stringMatching(/changed +pump-1 +tags\.site/) });
      const id = /run ([0-9a-f]{8})/.exec(plan.stderr)?.[1] ?? '';
      expect((await cli(stack, 'run', id)).stdout).toMatch(/Plan completed.*changed +pump-1 +tags\.site/s);

      const unconfirmed = await cli(stack, 'restore', backup, '--mode', 'exact', '--json');
      expect(unconfirmed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--confirm ') });
      const wrong = await cli(stack, 'restore', backup, '--mode', 'exact', '--confirm', 'other');
      expect(wrong).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('The name that was given does not match.'),
      });
      expect((await state(stack)).devices['pump-2']).toBeUndefined();
      const confirm = nameIn(unconfirmed.stderr);
      const restored = await cli(stack, 'restore', backup, '--mode', 'exact', '--confirm', confirm, '--json');
      expect(restored).toMatchObject({
        code: 0,
        json: { kind: 'restore', state: 'completed', result: { create: 1, change: 1 } },
      });
      expect(differences(before, await state(stack))).toEqual([]);

      const deleted = await cli(
        stack,
        'delete-all',
        '--hub',
        'default',
        '--configurations',
        '--confirm',
        confirm,
        '--json',
      );
      expect(deleted).toMatchObject({ code: 0, json: { kind: 'deleteAll', state: 'completed' } });
      expect(await state(stack)).toEqual({ devices: {}, modules: {}, configurations: {} });

      const drill = await cli(stack, 'restore', backup, '--drill', '--json');
      expect(drill).toMatchObject({
        code: 0,
        json: { kind: 'drill', hub: 'drill', state: 'completed', result: { differences: 0 } },
      });
      const drilled = await registryState(hubRest(stack.hubs['drill']?.connectionString ?? ''));
      expect(differences(before, drilled)).toEqual([]);

      expect(await findSecrets(stack, [key])).toEqual([]);
    });
  }, 180_000);

  it('reconciles no mirror that is off', async () => {
    await shared.use(async (stack) => {
      const refused = await cli(stack, 'mirror', 'reconcile', '--hub', 'default');
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('MIRROR_EVENTS') });
      expect(await stack.api('POST', 'mirror/reconcile', { hub: 'default' })).toMatchObject({
        status: 409,
        body: { error: { code: 'mirrorOff' } },
      });
    });
  });

  it('undoes a bad drop, and undoes that', async () => {
    await shared.use(async (stack) => {
      await dropFleet(stack, 'up');
      const before = await state(stack);
      await stack.drop(
        'default/bad/devices.txt',
        lines(
          { id: 'up', importMode: 'delete' },
          { id: 'pump-1', importMode: 'delete' },
          { id: 'pump-2', status: 'enabled', tags: { wrong: 1 } },
          { id: 'new', importMode: 'create' },
        ),
      );
      const { runId } = await stack.finalRecord('default/bad/devices.txt');
      const bad = await state(stack);
      const shown = await cli(stack, 'run', runId);
      expect(shown.stdout).toContain(`undo ${runId.slice(0, 8)}`);

      const plan = await cli(stack, 'plan', '--run', runId.slice(0, 8));
      expect(plan).toMatchObject({ code: 1, stdout: expect.stringMatching(/changed +pump-2 +status, /) });
      expect(plan.stdout).toContain('do not come back');
      const unconfirmed = await cli(stack, 'undo', runId.slice(0, 8), '--json');
      expect(unconfirmed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--confirm ') });
      expect(differences(bad, await state(stack))).toEqual([]);
      const confirm = nameIn(unconfirmed.stderr);

      await stack.rest('PATCH', '/twins/pump-2', { tags: { theirs: 1 } });
      const first = await cli(stack, 'undo', runId, '--confirm', confirm);
      expect(first).toMatchObject({ code: 1, stdout: expect.stringContaining('somebody else has changed them') });
      expect(first.stdout).toContain('queued messages and times do not come back');
      const forced = await cli(stack, 'undo', runId, '--force', '--confirm', confirm, '--json');
      expect(forced).toMatchObject({ code: 0, json: { kind: 'undo', state: 'completed', result: { change: 1 } } });
      expect(differences(before, await state(stack))).toEqual([]);
      const nothing = await cli(stack, 'plan', '--run', runId, '--json');
      expect(nothing).toMatchObject({ code: 0, json: { create: 0, change: 0, delete: 0, foreign: 0 } });

      const undone = (await stack.records()).find(({ runId: id }) => first.stderr.includes(id));
      const redone = await cli(stack, 'undo', undone?.runId ?? '', '--confirm', confirm, '--json');
      expect(redone).toMatchObject({ code: 0, json: { state: 'completed' } });
      expect(Object.keys((await state(stack)).devices).sort()).toEqual(['down', 'new', 'pump-2']);
    });
  }, 120_000);

  it('tells what a drop of a file would do, and changes nothing', async () => {
    await shared.use(async (stack) => {
      const found = await cli(stack, 'plan', 'samples/devices.txt', '--to', 'default', '--json');
      expect(found).toMatchObject({ code: 1, json: { change: 0, delete: 0, rejected: 0 } });
      expect((found.json as unknown as { create: number }).create).toBeGreaterThan(0);
      expect(await stack.deviceIds()).toEqual([]);
    });
  }, 60_000);

  it.each([
    [['restore', 'latest'], 'Give --mode'],
    [['restore', 'latest', '--drill', '--mode', 'exact'], 'Leave out --mode'],
    [['restore', 'nothing', '--mode', 'exact'], 'no name of a backup'],
    [['restore', 'default/2001/01/01T000000Z', '--drill'], 'There is no backup default/2001/01/01T000000Z'],
    [['plan'], 'Give a file, two files, --backup NAME or --run ID'],
    [['plan', 'a', '--backup', 'latest'], 'of a file or of a backup'],
    [['plan', 'a', '--run', '0'], 'compared as a whole'],
    [['plan', 'a', '--force'], 'Name it: --run ID'],
    [['undo', '0123'], 'There is no run 0123'],
    [['plan', 'samples/devices.txt'], 'plan samples/devices.txt --to ALIAS'],
    [['backups', '--hub', 'defualt'], 'It has: default, drill.'],
    [['runs', '--hub', 'defualt'], 'It has: default, drill.'],
  ])('%j is refused', async (args, says) => {
    await shared.use(async (stack) => {
      expect(await cli(stack, ...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(says) });
    });
  });
});
