import { expect, test } from 'vitest';

import { renderHints, renderMirrored, renderStack } from '../../../cli/render/stackText.ts';

const plain = (_style: unknown, text: string) => text;
const first = { connectionString: 'HostName=127.0.0.1:20998;SharedAccessKey=x', adminUrl: 'http://127.0.0.1:21364' };
const stack = {
  data: '/data/of it',
  apiUrl: 'http://127.0.0.1:20573/api',
  ports: { blob: 24771 },
  hubs: { default: first },
};

test('the screen of a stack that is ready says what is where', () => {
  expect(renderStack(stack, plain)).toEqual([
    '',
    'HubKeeper is running on this machine.',
    '',
    '  API          http://127.0.0.1:20573/api',
    '  IoT hub      127.0.0.1:20998  (its administration: http://127.0.0.1:21364)',
    '  Storage      http://127.0.0.1:24771/devstoreaccount1',
    '  Data, logs   /data/of it, /data/of it/logs',
    '',
    '  Connection string of the hub',
    '  HostName=127.0.0.1:20998;SharedAccessKey=x',
    '  All others, and that of the storage: /data/of it/stack.json',
    '',
  ]);
});

test('with several hubs it lists them all', () => {
  const east = { connectionString: 'HostName=127.0.0.1:21001;SharedAccessKey=y', adminUrl: 'http://127.0.0.1:21002' };
  const text = renderStack({ ...stack, hubs: { default: first, east, west: {} } }, plain);
  expect(text.slice(4, 7)).toEqual([
    '  Hub default  127.0.0.1:20998  (its administration: http://127.0.0.1:21364)',
    '  Hub east     127.0.0.1:21001  (its administration: http://127.0.0.1:21002)',
    '  Hub west     elsewhere, as its setting says',
  ]);
  expect(text.slice(10, 14)).toEqual([
    '  Connection string of the hub default',
    '  HostName=127.0.0.1:20998;SharedAccessKey=x',
    '  Connection string of the hub east',
    '  HostName=127.0.0.1:21001;SharedAccessKey=y',
  ]);
});

test('what of the sample is in the mirror', () => {
  expect(renderMirrored({ devices: 16, modules: 1 })).toBe('  16 devices and 1 module are in the mirror.');
});

test('what one can do now can be pasted', () => {
  const command = (...args: readonly string[]) => ['npx hubkeeper', ...args].join(' ');
  expect(renderHints(plain, command, false)).toEqual([
    '',
    '  Drop a file   npx hubkeeper provision FILE',
    '  See runs      npx hubkeeper runs',
    '  See devices   npx hubkeeper devices',
    '  See a device  npx hubkeeper device ID',
    '  See mirror    npx hubkeeper mirror status',
    '  Stop          Ctrl-C (data stays; runs not suspended go on at the next start)',
    '',
  ]);
  expect(renderHints(plain, command, true)[1]).toBe('  Drop a file   npx hubkeeper provision FILE --hub ALIAS');
});
