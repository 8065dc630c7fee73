import { expect, test } from 'vitest';

import { childEnvironment } from '../../../local/stack/environment.ts';

test('nothing of the environment leads a local app to a hub or a storage account elsewhere', () => {
  const base = {
    PATH: '/bin',
    RUN_HISTORY_DAYS: '3',
    IOTHUB: 'real',
    iothub__prod: 'real',
    HUBKEEPER_STORAGE__blobServiceUri: 'real',
    AzureWebJobsStorage: 'real',
    STORAGE_AUTH: 'identity',
    HUBKEEPER_API_KEY: 'real',
    MIRROR_EVENTS: 'real',
    MIRROR_EVENTS_east: 'real',
    MIRROR_EVENTS__fullyQualifiedNamespace: 'real',
    MIRROR_EVENT_HUB: 'real',
    APPLICATIONINSIGHTS_CONNECTION_STRING: 'real',
  };
  expect(childEnvironment(base, { IOTHUB: 'local', RUN_HISTORY_DAYS: '9' })).toEqual({
    PATH: '/bin',
    IOTHUB: 'local',
    RUN_HISTORY_DAYS: '9',
  });
});
