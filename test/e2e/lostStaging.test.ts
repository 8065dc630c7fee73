import { expect, it } from 'vitest';
import { type TestStack, withStack } from '../helpers/stack.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';
import { judge } from '../scenarios/registryOracle.ts';

const FILE = Array.from({ length: 30 }, (_, at) => `{"id":"d${at}","importMode":"create","tags":{"v":1}}\n`).join('');

async function runAndDelete(stack: TestStack, name: string, until: (stack: TestStack) => Promise<string | undefined>) {
  const before = readRegistry(stack.data);
  await stack.drop(name, FILE.replaceAll('"d', `"${name.slice(0, 1)}`));
  const runId = await stack.until(`the moment to delete the container of ${name}`, () => until(stack));
  await stack.blobs.getContainerClient(`hubkeeper-run-${runId}`).delete();
  const record = await stack.finalRecord(name, 240_000);
  const rows = await stack.rows(record);
  const after = readRegistry(stack.data);
  const { contradictions } = judge({ before, after, file: FILE.replaceAll('"d', `"${name.slice(0, 1)}`), rows });
  return { record, contradictions };
}

it('a run whose container is deleted while its job runs, or before that, ends with the truth', {
  timeout: 360_000,
}, async () => {
  await withStack({ hubArgs: ['--job-run-ms', '4000'] }, async (stack) => {
    const running = await runAndDelete(stack, 'a/devices.txt', async () => {
      const record = await stack.recordOf('a/devices.txt');
      return record?.jobs.import === undefined ? undefined : record.runId;
    });
    expect(running.contradictions).toEqual([]);
    expect(running.record).toMatchObject({ stagingLost: { isSent: true }, outcomes: { skipped: 0, unconfirmed: 0 } });

    const early = await runAndDelete(stack, 'b/devices.txt', async () => {
      const record = await stack.recordOf('b/devices.txt');
      return record?.check === undefined ? undefined : record.runId;
    });
    expect(early.contradictions).toEqual([]);
    expect(early.record).toMatchObject({ state: 'completed', outcomes: { succeeded: 30, unconfirmed: 0 } });
    const { jobs } = await stack.hubState();
    expect(jobs.importsCreated).toBe(2);
  });
});
