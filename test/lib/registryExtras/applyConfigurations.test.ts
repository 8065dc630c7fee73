import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { ConfigurationInput, RegistryClient } from '../../../src/lib/registry/index.ts';
import { applyConfigurations } from '../../../src/lib/registryExtras/applyConfigurations.ts';
import { compareConfigurations } from '../../../src/lib/registryExtras/configurationChanges.ts';
import { type ExtrasHub, limits, startExtrasHub, watched } from './extrasHub.ts';

let at: ExtrasHub;
let hub: RegistryClient;

const configuration = (id: string, value: number, changes: Partial<ConfigurationInput> = {}): ConfigurationInput => ({
  id,
  content: { deviceContent: { 'properties.desired.value': { is: value } } },
  targetCondition: "tags.site='north'",
  priority: 1,
  labels: {},
  metricQueries: {},
  ...changes,
});
const BACKUP = [
  configuration('kept', 1),
  configuration('moved', 1),
  configuration('other', 1),
  configuration('lost', 1),
];

beforeAll(async () => {
  at = await startExtrasHub();
  ({ hub } = at);
});
beforeEach(async () => {
  for (const live of await hub.listConfigurations()) await hub.deleteConfiguration(live);
  await hub.createConfiguration(configuration('kept', 1));
  await hub.createConfiguration(configuration('moved', 1, { priority: 9, targetCondition: '*', labels: { a: 'b' } }));
  await hub.createConfiguration(configuration('other', 2));
  await hub.createConfiguration(configuration('new', 1));
});
afterEach(() => at.faults());
afterAll(() => at.close());

const changesNow = async (backup: readonly ConfigurationInput[] = BACKUP) =>
  compareConfigurations(backup, await hub.listConfigurations());
const differencesNow = async () => (await changesNow()).filter(({ change }) => change !== 'unchanged');

describe('configurations', () => {
  it('become those of the backup: created, updated, replaced, deleted; those that are equal are left alone', async () => {
    const calls: string[] = [];
    const kept = await hub.getConfiguration('kept');
    const { results, done } = await applyConfigurations(watched(hub, calls), await changesNow(), 0, limits());
    expect(done).toBe(true);
    expect(results.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['new', 'succeeded'],
      ['kept', 'unchanged'],
      ['moved', 'succeeded'],
      ['other', 'succeeded'],
      ['lost', 'succeeded'],
    ]);
    expect(await differencesNow()).toEqual([]);
    expect((await hub.getConfiguration('kept'))?.etag).toBe(kept?.etag);
    expect(calls).toEqual([
      'deleteConfiguration',
      'updateConfiguration',
      'deleteConfiguration',
      'createConfiguration',
      'createConfiguration',
    ]);
  });

  it.each(['putConfiguration', 'deleteConfiguration'])(
    'become so however often replies of %s are lost after the work was done',
    async (operation) => {
      const changes = await changesNow();
      await at.faults({ operation, drop: true, when: 'after', rate: 0.7, count: 20 });
      let position = 0;
      const outcomes: string[] = [];
      for (let steps = 0; position < changes.length && steps < 60; steps += 1) {
        const step = await applyConfigurations(hub, changes, position, limits());
        position = step.position;
        outcomes.push(...step.results.map(({ outcome }) => outcome));
      }
      await at.faults();
      expect(await differencesNow()).toEqual([]);
      expect(outcomes).toHaveLength(changes.length);
      expect(outcomes).not.toContain('failed');
    },
  );

  it.each(['new', 'moved', 'other', 'lost'])(
    'that somebody else changed since are left as they are: %s',
    async (id) => {
      const changes = (await changesNow()).filter((change) => change.id === id);
      const live = await hub.getConfiguration(id);
      const theirs = configuration(id, 7, { priority: 77 });
      if (live === undefined) await hub.createConfiguration(theirs);
      else await hub.updateConfiguration(theirs);
      const { results } = await applyConfigurations(hub, changes, 0, limits());
      expect(results).toMatchObject([{ id, outcome: 'failed', code: 'configurationChanged' }]);
      expect((await hub.getConfiguration(id))?.priority).toBe(77);
    },
  );

  it('that somebody else made as in the backup are as they should be', async () => {
    const changes = (await changesNow()).filter(({ id }) => id === 'lost');
    await hub.createConfiguration(configuration('lost', 1));
    expect((await applyConfigurations(hub, changes, 0, limits())).results).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('that are gone by now are created, or need not be deleted', async () => {
    const changes = await changesNow();
    for (const id of ['new', 'moved', 'other']) await hub.deleteConfiguration({ id });
    const { results } = await applyConfigurations(hub, changes, 0, limits());
    expect(results.map(({ outcome }) => outcome)).toEqual([
      'unchanged',
      'unchanged',
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
    expect(await differencesNow()).toEqual([]);
  });

  it('that the hub does not take with their new content return as they were', async () => {
    const bad = configuration('other', 1, { targetCondition: 'nonsense = 1' });
    const changes = (await changesNow([bad])).filter(({ id }) => id === 'other');
    const { results } = await applyConfigurations(hub, changes, 0, limits());
    expect(results).toMatchObject([{ id: 'other', outcome: 'failed', code: 'configurationPutBack' }]);
    expect(await hub.getConfiguration('other')).toMatchObject(configuration('other', 2));
  });

  it('that the hub says to have written, but left as they were, have failed', async () => {
    const changes = (await changesNow()).filter(({ id }) => id === 'moved');
    const keeping: RegistryClient = {
      ...hub,
      async updateConfiguration({ id }) {
        const live = await hub.getConfiguration(id);
        if (live === undefined) throw new Error('it is gone');
        return live;
      },
    };
    const { results } = await applyConfigurations(keeping, changes, 0, limits());
    expect(results).toMatchObject([{ outcome: 'failed', code: 'contentKept' }]);
    expect(results[0]?.message).toContain('targetCondition, priority, labels');
  });

  it('that the hub refuses fail by themselves', async () => {
    const bad = configuration('bad', 1, { targetCondition: 'nonsense = 1' });
    const { results } = await applyConfigurations(hub, await changesNow([bad, ...BACKUP]), 0, limits());
    expect(results.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
      { id: 'bad', code: 'InvalidConfigurationTargetCondition' },
    ]);
    expect(await differencesNow()).toEqual([]);
  });
});
