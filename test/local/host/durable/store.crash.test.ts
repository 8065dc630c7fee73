import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectOutput } from '../../../helpers/childOutput.ts';
import { durableApp, type EngineProcess, spawnEngine, startEngine } from './engineProcess.ts';

describe('The durable state', () => {
  let folder: string;
  let databasePath: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durable-crash-'));
    databasePath = join(folder, 'durable.sqlite');
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    { unkindSeed: undefined, kills: 5 },
    { unkindSeed: 5, kills: 3 },
  ])(
    'survives kill -9 at any moment of a long fan-out (unkind: $unkindSeed)',
    async ({ unkindSeed, kills }) => {
      const count = 150;
      const file = join(folder, 'lines.txt');
      const options = {
        databasePath,
        hostJson: { maxConcurrentActivityFunctions: 4 },
        ...(unkindSeed !== undefined && { unkindSeed }),
      };
      const idsByKill: number[] = [];
      let engine: EngineProcess = await startEngine(options);
      await engine.start('appendMany', { file, count, ms: 4 }, 'long');
      for (let kill = 0; kill < kills; kill++) {
        // Each time a little later into its life, so that the kills meet different moments.
        await pause(20 + kill * 29);
        await engine.kill();
        idsByKill.push(completedTasks(databasePath, 'long').length);
        engine = await startEngine(options);
      }
      const { output, runtimeStatus } = await engine.untilEnded('long', 60_000);
      const lines = Array.from({ length: count }, (_, index) => String(index));
      expect({ output, runtimeStatus }).toEqual({ runtimeStatus: 'Completed', output: { lines, after: 'after' } });
      expect(await engine.stop()).toBe(0);

      // The kills fell into the middle of the work, and the work went on after them.
      expect(idsByKill[0]).toBeLessThan(count);
      const executed = (await readFile(file, 'utf8')).trim().split('\n');
      expect(new Set(executed).size).toBe(count);
      const taskIds = completedTasks(databasePath, 'long');
      expect(taskIds.length).toBe(count + 1);
      expect(new Set(taskIds).size).toBe(count + 1);
    },
    120_000,
  );

  it('keeps timers, waiting instances, suspended ones and entities over a kill', async () => {
    let engine = await startEngine({ databasePath });
    await engine.start('bufferedEvents', null, 'waiting');
    await engine.start('bufferedEvents', null, 'suspended');
    await engine.client.raiseEvent('waiting', 'item', 1);
    await engine.client.suspend('suspended', 'for the night');
    await engine.until('suspended', ({ runtimeStatus }) => runtimeStatus === 'Suspended');
    await engine.client.raiseEvent('suspended', 'item', 1);
    await engine.run('useCounter', 'k');
    await engine.start('timer', 1_500, 'timer');
    await engine.until('timer', ({ runtimeStatus }) => runtimeStatus !== 'Pending');
    await engine.kill();

    engine = await startEngine({ databasePath });
    for (const id of ['waiting', 'suspended']) {
      await engine.client.raiseEvent(id, 'begin', null);
      await engine.client.raiseEvent(id, 'item', 2);
    }
    expect((await engine.untilEnded('waiting')).output).toEqual([1, 2]);
    expect(await engine.status('suspended')).toMatchObject({ runtimeStatus: 'Suspended' });
    await engine.client.resume('suspended', 'morning');
    expect((await engine.untilEnded('suspended')).output).toEqual([1, 2]);
    const { output } = await engine.untilEnded('timer');
    expect((output as { waited: number }).waited).toBeGreaterThanOrEqual(1_500);
    expect((await engine.run('useCounter', 'k')).output).toMatchObject({ value: 30 });
    expect(await engine.stop()).toBe(0);
  });

  it('lets a clean stop in the middle of the work lose nothing', async () => {
    const file = join(folder, 'lines.txt');
    const options = { databasePath, hostJson: { maxConcurrentActivityFunctions: 2 } };
    let engine = await startEngine(options);
    await engine.start('appendMany', { file, count: 40, ms: 10 }, 'long');
    await expect.poll(() => readFile(file, 'utf8').catch(() => ''), { interval: 5 }).toContain('5\n');
    expect(await engine.stop()).toBe(0);
    const before = completedTasks(databasePath, 'long').length;
    expect(before).toBeLessThan(40);
    engine = await startEngine(options);
    expect(await engine.untilEnded('long')).toMatchObject({ runtimeStatus: 'Completed' });
    expect(await engine.stop()).toBe(0);
    // Nothing was cut off, so nothing was run twice.
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(40);
  });

  it('has one result for each activity that an unkind engine ran twice', async () => {
    const file = join(folder, 'lines.txt');
    const engine = await startEngine({ databasePath, unkindSeed: 11 });
    const { output } = await engine.run('appendMany', { file, count: 40, ms: 1 }, 'twice');
    expect((output as { lines: string[] }).lines).toEqual(Array.from({ length: 40 }, (_, index) => String(index)));
    expect(await engine.stop()).toBe(0);
    const executed = (await readFile(file, 'utf8')).trim().split('\n');
    expect(executed.length).toBeGreaterThan(41);
    expect(executed.length).toBeLessThan(80);
    const taskIds = completedTasks(databasePath, 'twice');
    expect(taskIds).toHaveLength(41);
    // The answers overtook each other.
    expect(taskIds).not.toEqual([...taskIds].sort((a, b) => a - b));
  });

  it('belongs to one process at a time; a second one names the file and ends', async () => {
    const engine = await startEngine({ databasePath });
    const second = spawnEngine({ appDirectory: durableApp, databasePath });
    const log = collectOutput(second, second.stderr);
    const code = await new Promise((resolve) => second.once('close', resolve));
    expect(code).toBe(1);
    expect(log.text()).toContain(`Durable state file ${databasePath} is in use by another process`);
    expect((await engine.run('echoInput', 1)).output).toBe(1);
    await engine.kill();
    const third = await startEngine({ databasePath });
    expect(await third.stop()).toBe(0);
  });

  it('is refused when another version made it, or when it is something else', async () => {
    const db = new DatabaseSync(databasePath);
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(startEngine({ databasePath })).rejects.toThrow(
      `Durable state file ${databasePath} has schema version 99, this host knows version 1.`,
    );
    const textFile = join(folder, 'text');
    await writeFile(textFile, 'this is no database, however long one looks at it'.repeat(100));
    await expect(startEngine({ databasePath: textFile })).rejects.toThrow(`${textFile} is not a SQLite database.`);
  });
});

/** Sequence ids of the activities that have an answer in the stored history. */
function completedTasks(path: string, instanceId: string): number[] {
  const db = new DatabaseSync(path);
  try {
    return db
      .prepare(
        `SELECT json_extract(event, '$.TaskScheduledId') AS id FROM history
          WHERE instance_id = ? AND json_extract(event, '$.EventType') IN (5, 6)`,
      )
      .all(instanceId)
      .map((row) => Number(row['id']));
  } finally {
    db.close();
  }
}
