import { describe, expect, test } from 'vitest';
import { eventHubConnection } from '../../../../local/host/eventHub/eventHubConnection.ts';
import { settingsFrom } from '../../../../local/host/settings.ts';

const text = 'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=c2VjcmV0';
const connect = (environment: Record<string, string>, name = 'Events', eventHubName = 'bound') =>
  eventHubConnection(name, eventHubName, settingsFrom(environment));

describe('the connection of an Event Hub trigger', () => {
  test('takes the event hub of the string before that of the binding', () => {
    expect(connect({ Events: text })).toMatchObject({ settingName: 'Events', eventHubName: 'bound' });
    expect(connect({ Events: `${text};EntityPath=own` })).toMatchObject({ eventHubName: 'own' });
  });

  test('takes AzureWebJobsX before X, and a string before an identity', () => {
    expect(connect({ Events: 'no', AzureWebJobsEvents: text })).toMatchObject({ settingName: 'AzureWebJobsEvents' });
    expect(connect({ Events: text, Events__fullyQualifiedNamespace: 'ns' })).toMatchObject({
      kind: 'connectionString',
    });
  });

  test('takes a namespace and an identity', () => {
    expect(connect({ Events__fullyQualifiedNamespace: 'ns.servicebus.windows.net' })).toMatchObject({
      kind: 'identity',
      fullyQualifiedNamespace: 'ns.servicebus.windows.net',
      eventHubName: 'bound',
    });
  });

  test.each<[string, Record<string, string>, string, string, RegExp]>([
    [
      'a name that leads nowhere',
      {},
      'Events',
      'e',
      /"AzureWebJobsEvents" or "AzureWebJobsEvents__fullyQualifiedNamespace", "Events"/,
    ],
    ['a string in the place of a name', {}, text, 'e', /"connection" must be the name of an app setting/],
    [
      'a string that is none',
      { Events: 'AccountKey=c2VjcmV0' },
      'Events',
      'e',
      /"Events" is not a valid Event Hubs connection string/,
    ],
    ['a string without a key', { Events: 'Endpoint=sb://ns/' }, 'Events', 'e', /"Events" is not a valid/],
    [
      'an identity without a namespace',
      { Events__clientId: 'x' },
      'Events',
      'e',
      /set "Events__fullyQualifiedNamespace"/,
    ],
    [
      'an unknown kind of identity',
      { Events__fullyQualifiedNamespace: 'ns', Events__credential: 'password' },
      'Events',
      'e',
      /"Events__credential" is "password"/,
    ],
    ['no event hub', { Events: text }, 'Events', '', /"eventHubName" is missing/],
  ])('refuses %s, without showing secrets', (_what, environment, name, eventHubName, problem) => {
    const connecting = () => connect(environment, name, eventHubName);
    expect(connecting).toThrow(problem);
    expect(connecting).not.toThrow(/c2VjcmV0/);
  });
});
