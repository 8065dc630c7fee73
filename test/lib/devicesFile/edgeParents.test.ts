import { describe, expect, it } from 'vitest';

import { deviceOfScope } from '../../../src/lib/devicesFile/edgeParents.ts';
import { checkText, wholeDevice } from './checkText.ts';

const scope = (id: string, ticks = '638000000000000001') => `ms-azure-iot-edge://${id}-${ticks}`;
const CSV = { importMode: 'createOrUpdate', format: 'csv' } as const;
const EDGE = { capabilities: { iotEdge: true } };

describe('the device id in a scope', () => {
  it.each([
    [scope('edge'), 'edge'],
    [scope('a-b-1'), 'a-b-1'],
    // A leaf that was made an edge device later.
    [scope('a-1', ''), 'a-1'],
    ['ms-azure-iot-edge://edge', undefined],
    ['ms-azure-iot-edge://-638', undefined],
    ['ms-azure-iot-edge://a-b', undefined],
    ['edge-638', undefined],
    ['', undefined],
  ])('of %s is %s', (text, device) => {
    expect(deviceOfScope(text)).toBe(device);
  });
});

describe('the parent that a line names', () => {
  const cases: readonly { name: string; given: object; parent: string | null | undefined }[] = [
    { name: 'by id', given: { parent: 'p' }, parent: 'p' },
    { name: 'as null, to have none', given: { parent: null }, parent: null },
    { name: 'not at all', given: {}, parent: undefined },
    { name: 'not by nulls of scopes', given: { deviceScope: null, parentScopes: null }, parent: undefined },
    { name: 'not by empty scopes', given: { deviceScope: '', parentScopes: [] }, parent: undefined },
    { name: 'by the scope of a leaf', given: { deviceScope: scope('p') }, parent: 'p' },
    {
      name: 'by both scopes of a leaf, as exports have it',
      given: { deviceScope: scope('p'), parentScopes: [scope('p')] },
      parent: 'p',
    },
    { name: 'by the parent scope of a leaf alone', given: { parentScopes: [scope('p')] }, parent: 'p' },
    { name: 'not by the own scope of an edge device', given: { ...EDGE, deviceScope: scope('d') }, parent: undefined },
    {
      name: 'by the parent scope of an edge device',
      given: { ...EDGE, deviceScope: scope('d'), parentScopes: [scope('p')] },
      parent: 'p',
    },
    {
      name: 'by id and scope, which agree',
      given: { ...EDGE, parent: 'p', deviceScope: scope('d', '1'), parentScopes: [scope('p', '2')] },
      parent: 'p',
    },
  ];

  it.each(cases)('$name', async ({ given, parent }) => {
    const { accepted, rejected, warnings } = await checkText(JSON.stringify(wholeDevice('d', given)));
    expect(rejected).toEqual([]);
    expect(warnings).toEqual([]);
    expect(accepted[0]?.parent).toBe(parent);
    // The hub is given no scope but the own one of an edge device, which an update has to repeat.
    const sent = JSON.parse(accepted[0]?.text ?? '') as Record<string, unknown>;
    expect(sent).not.toHaveProperty('parent');
    expect([sent.deviceScope ?? '', sent.parentScopes ?? []].flat().join('')).toBe(
      'capabilities' in given && 'deviceScope' in given ? given.deviceScope : '',
    );
    expect(sent).toMatchObject({ id: 'd', capabilities: wholeDevice('d', given).capabilities });
  });

  it.each(['delete', 'updateTwin'])(
    'has no effect in mode %s, so that exports can be dropped with it',
    async (mode) => {
      const given = { importMode: mode, deviceScope: scope('p'), parentScopes: [scope('p')] };
      const { accepted, rejected, warnings } = await checkText(JSON.stringify(wholeDevice('d', given)));
      expect([rejected, warnings]).toEqual([[], []]);
      expect(accepted[0]).not.toHaveProperty('parent');
    },
  );

  it('is silent about a parent in a delete', async () => {
    const { accepted, warnings } = await checkText('{"id":"d","importMode":"delete","parent":"p"}');
    expect(warnings).toEqual([]);
    expect(JSON.parse(accepted[0]?.text ?? '')).toEqual({ id: 'd', importMode: 'delete', status: 'enabled' });
  });

  it('leaves scopes of another form as they are, with a warning', async () => {
    const given = wholeDevice('d', { deviceScope: 'mine', parentScopes: ['theirs'] });
    const { accepted, warnings } = await checkText(JSON.stringify(given));
    expect(warnings.map(({ code }) => code)).toEqual(['scopeForm']);
    expect(JSON.parse(accepted[0]?.text ?? '')).toMatchObject({ deviceScope: 'mine', parentScopes: ['theirs'] });
    expect(accepted[0]).not.toHaveProperty('parent');
  });

  it('stands in a column; an empty cell says nothing, null says none', async () => {
    const { accepted, rejected } = await checkText('id,Parent\na,p\nb,\nc,null\nd,"null"\ne,""\n', CSV);
    expect(rejected).toEqual([]);
    expect(accepted.map(({ id, parent }) => [id, parent])).toEqual([
      ['a', 'p'],
      ['b', undefined],
      ['c', null],
      ['d', 'null'],
      ['e', undefined],
    ]);
  });
});
