import { describe, expect, it } from 'vitest';

import {
  contentText,
  isMadeByHub,
  planAllSystemModules,
  planSystemModules,
} from '../../../src/lib/registryExtras/systemModules.ts';

const AGENT =
  '{"id":"e","moduleId":"$edgeAgent","eTag":"MQ==","status":"enabled","authentication":{"type":"none"},"tags":{"z":1.0,"10":2,"a":3},"properties":{"desired":{"modules":{"m":{"version":1.10}},"$metadata":{"$lastUpdated":"x"},"$version":4},"reported":{"up":true}},"capabilities":{"iotEdge":false}}';
const HUB = '{"id":"e","moduleId":"$edgeHub","status":"enabled","authentication":null,"tags":null,"properties":null}';
const DEPLOYED =
  '{"id":"e","moduleId":"m","status":"enabled","authentication":{"type":"None"},"properties":{"desired":{"é":[1,2]}}}';
const KEYED =
  '{"id":"e","moduleId":"own","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"a","secondaryKey":"b"},"type":"sas"}}';
const DEVICE = '{"id":"e","status":"enabled","capabilities":{"iotEdge":true}}';

describe('a module is made by the hub', () => {
  it.each([
    ['a device', { moduleId: null }, undefined, false],
    ['a system module', { moduleId: '$edgeHub' }, undefined, true],
    ['a system module of a kind to come', { moduleId: '$edgeOther' }, undefined, true],
    ['a module without keys', { moduleId: 'm', authentication: { type: 'none' } }, null, true],
    [
      'a module with keys, though the edge manages it',
      { moduleId: 'm', authentication: { type: 'sas' } },
      'iotEdge',
      false,
    ],
    ['of a keyless backup, one that the edge manages', { moduleId: 'm', authentication: null }, 'IotEdge', true],
    ['of a keyless backup, one that somebody else manages', { moduleId: 'm', authentication: null }, 'me', false],
    ['of a keyless backup, one that nobody manages', { moduleId: 'm' }, undefined, false],
  ])('%s', (_, module, managedBy, isMade) => {
    expect(isMadeByHub(module, () => managedBy)).toBe(isMade);
  });
});

describe('the plan for the modules of an edge device', () => {
  it('holds what their twins had, as it was written', () => {
    const other = AGENT.replace('"e"', '"other"');
    expect(planSystemModules([DEVICE, AGENT, KEYED, other, HUB, DEPLOYED])).toEqual({
      id: 'e',
      modules: [
        { moduleId: '$edgeAgent', tags: '{"z":1.0,"10":2,"a":3}', desired: '{"modules":{"m":{"version":1.10}}}' },
        { moduleId: '$edgeHub' },
        { moduleId: 'm', desired: '{"é":[1,2]}' },
      ],
    });
  });

  it('is a content with all desired properties of each', () => {
    const plan = planSystemModules([AGENT, HUB, DEPLOYED]);
    expect(plan && contentText(plan)).toBe(
      '{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"m":{"version":1.10}}}},"$edgeHub":{"properties.desired":{}},"m":{"properties.desired":{"é":[1,2]}}}}',
    );
  });

  it('is none for a device without such modules', () => {
    expect(planSystemModules([DEVICE, KEYED])).toBeUndefined();
  });

  it('asks the extras of a keyless backup who manages a module', () => {
    const keyless = '{"id":"e","moduleId":"x","authentication":null}';
    const managedBy = ({ id, moduleId }: { id: string; moduleId: string }) =>
      `${id}/${moduleId}` === 'e/x' ? 'iotEdge' : null;
    expect(planSystemModules([keyless], managedBy)?.modules).toEqual([{ moduleId: 'x' }]);
    const said = '{"id":"e","moduleId":"y","managedBy":"iotEdge"}';
    expect(planSystemModules([said], managedBy)?.modules).toEqual([{ moduleId: 'y' }]);
  });
});

describe('the plans of a whole export', () => {
  const lines = ['WARNING: "moduleId"'];
  for (let at = 0; at < 30; at += 1) lines.push(JSON.stringify({ id: `e${at}` }));
  for (const moduleId of ['$edgeAgent', '$edgeHub']) {
    for (let at = 29; at >= 0; at -= 1) lines.push(JSON.stringify({ id: `e${at}`, moduleId, tags: { at } }));
  }

  it.each([60, 500, 1_000_000])(
    'are whole and each once, wherever lines stand, with %d characters held',
    async (most) => {
      const plans = await Array.fromAsync(planAllSystemModules(() => lines, undefined, most));
      expect(plans.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))).toEqual(
        Array.from({ length: 30 }, (_, at) => ({
          id: `e${at}`,
          modules: [
            { moduleId: '$edgeAgent', tags: `{"at":${at}}` },
            { moduleId: '$edgeHub', tags: `{"at":${at}}` },
          ],
        })),
      );
      expect(await Array.fromAsync(planAllSystemModules(() => lines, undefined, most))).toEqual(plans);
    },
  );

  it('are none for an export without edge devices', async () => {
    expect(await Array.fromAsync(planAllSystemModules(() => ['{"id":"d"}']))).toEqual([]);
  });
});
