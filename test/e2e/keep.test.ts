import { expect, it } from 'vitest';
import { withStack } from '../helpers/stack.ts';
import { keepRun } from '../scenarios/keepRun.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';

it('3,000 updates without keys and status leave every device its own; a delete of a fifth of the hub waits for a word', async () => {
  const result = await keepRun(3_000);
  expect(result).toMatchObject({
    contradictions: [],
    updated: { succeeded: 3_000 },
    stopped: { code: 'confirmationNeeded', devices: 3_000 },
    deleted: { succeeded: 600 },
    devicesAtTheEnd: 2_400,
    exports: 1,
  });
});

it('a failed line that is corrected and dropped again lets no blocked device in', async () => {
  await withStack({}, async (stack) => {
    await stack.drop('a/devices.txt', '{"id":"d","importMode":"create","status":"disabled","statusReason":"stolen"}\n');
    expect(await stack.finalRecord('a/devices.txt')).toMatchObject({ state: 'completed' });

    await stack.drop('b/devices.txt', '{"id":"d","importMode":"create","tags":{"a":1.0}}\n');
    const { outcomes, report } = await stack.finalRecord('b/devices.txt');
    expect(outcomes).toMatchObject({ failed: 1 });
    const failed = await stack.read(report?.container ?? '', report?.failedDevices ?? '');
    expect(failed).toBe('{"id":"d","importMode":"create","tags":{"a":1.0}}\n');

    await stack.drop('c/failed-devices.txt', failed.replace('"create"', '"createOrUpdate"'));
    expect(await stack.finalRecord('c/failed-devices.txt')).toMatchObject({ state: 'completed', kept: { status: 1 } });
    expect(readRegistry(stack.data).get('d')).toMatchObject({
      status: 'disabled',
      statusReason: 'stolen',
      tags: { a: 1 },
    });
  });
});
