import { expect, it } from 'vitest';

import { whyNoDrop } from '../../../../src/lib/provisioning/drop/whyNoDrop.ts';

it.each<[string, string | undefined]>([
  ['devices.txt', undefined],
  ['east/b1/devices.csv.gz', undefined],
  ['b1/failed-devices.txt', undefined],
  ['b1/options.json', undefined],
  ['configurations.txt', undefined],
  ['b1/Devices.txt', 'Names are in lower case: upload it as devices.txt.'],
  ['DEVICES.CSV.GZ', 'Names are in lower case: upload it as devices.csv.gz.'],
  ['Options.json', 'Names are in lower case: upload it as options.json.'],
  ['devices.xlsx', 'It is a workbook of a spreadsheet: save it as CSV, and upload that as devices.csv.'],
  [
    'devices.zip',
    'It is an archive: upload the devices file itself, as devices.txt or devices.csv; it may be packed with gzip (.gz).',
  ],
  ['device.txt', 'Only one name makes a run of a file of lines: upload it as devices.txt.'],
  ['b1/rejected-lines.txt', 'Only one name makes a run of a file of lines: upload it as devices.txt.'],
  ['devices.json.gz', 'Only one name makes a run of a file of lines: upload it as devices.txt.gz.'],
  ['Fleet 2026.csv', 'Only one name makes a run of a CSV file: upload it as devices.csv.'],
  ['fleet.csv.gz', 'Only one name makes a run of a CSV file: upload it as devices.csv.gz.'],
  ['devices', 'Only devices.txt and devices.csv, either with .gz, make a run: upload it under one of these names.'],
])('why %s makes no run', (name, why) => {
  expect(whyNoDrop(name)).toBe(why);
});
