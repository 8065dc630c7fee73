import { describe, expect, it } from 'vitest';

import { parseDropPath } from '../../../../src/lib/provisioning/drop/dropPath.ts';

const one = ['default'];
const two = ['east', 'west'];

describe('the path of a drop', () => {
  const cases = [
    { blobName: 'devices.txt', aliases: one, expected: { hub: 'default', batch: '_', folder: '', format: 'lines' } },
    {
      blobName: 'b1/failed-devices.txt',
      aliases: one,
      expected: { hub: 'default', batch: 'b1', folder: 'b1/', format: 'lines' },
    },
    {
      blobName: 'b1/devices.txt',
      aliases: one,
      expected: { hub: 'default', batch: 'b1', folder: 'b1/', format: 'lines' },
    },
    {
      blobName: 'DEFAULT/b1/devices.txt.gz',
      aliases: one,
      expected: { hub: 'default', batch: 'b1', folder: 'DEFAULT/b1/', format: 'lines' },
    },
    {
      blobName: 'West/devices.txt',
      aliases: two,
      expected: { hub: 'west', batch: '_', folder: 'West/', format: 'lines' },
    },
    {
      blobName: 'east/a/b/devices.csv',
      aliases: two,
      expected: { hub: 'east', batch: 'a/b', folder: 'east/a/b/', format: 'csv' },
    },
    {
      blobName: 'east/7/devices.csv.gz',
      aliases: two,
      expected: { hub: 'east', batch: '7', folder: 'east/7/', format: 'csv' },
    },
  ];
  it.each(cases)('$blobName with $aliases', ({ blobName, aliases, expected }) => {
    expect(parseDropPath(blobName, aliases)).toEqual(expected);
  });

  it.each([
    'options.json',
    'b1/options.json',
    'devices.txt.bak',
    'mydevices.txt',
    'devices.json',
    'devices.txt/',
    'Devices.TXT',
  ])('takes %s for no drop', (blobName) => {
    expect(parseDropPath(blobName, one)).toBeUndefined();
  });

  it.each(['devices.txt', 'north/devices.txt'])('with several hubs refuses %s and lists the aliases', (blobName) => {
    const path = parseDropPath(blobName, two);
    expect(path?.hub).toBeUndefined();
    expect(path?.problem).toContain('must be one of: east, west');
  });
});
