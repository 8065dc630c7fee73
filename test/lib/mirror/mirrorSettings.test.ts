import { expect, it } from 'vitest';

import { type EventSource, mirroredHubs } from '../../../src/lib/mirror/mirrorSettings.ts';

const source = (hub?: string): EventSource => ({
  connectionName: 'MIRROR_EVENTS',
  connection: { kind: 'connectionString', connectionString: '' },
  eventHub: 'events',
  consumerGroup: '$Default',
  ...(hub === undefined ? {} : { hub }),
});

it.each([
  ['a source of all hubs: all', [source()], ['a', 'b']],
  ['sources of one each: these', [source('b')], ['b']],
  ['both: all', [source('b'), source()], ['a', 'b']],
])('%s are mirrored', (_, sources, hubs) => expect(mirroredHubs({ sources }, ['a', 'b'])).toEqual(hubs));
