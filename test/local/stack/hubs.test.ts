import { describe, expect, it } from 'vitest';

import { hubsOfApp, inOrderOfEnd, settingsOfHubs } from '../../../local/stack/hubs.ts';

const hub = (name: string) => ({
  connectionString: `HostName=${name};`,
  connectionStrings: {},
  eventsConnectionString: `Endpoint=sb://${name}/;`,
  adminUrl: `http://${name}`,
});
const hubs = new Map([
  ['default', hub('a')],
  ['east', hub('b')],
]);

describe('the hubs of a stack', () => {
  it.each([
    [[], 'S3', '10'],
    [['--tier', 'S1'], 'S1', '1'],
    [['--units=2', '--tier=S2'], 'S2', '2'],
  ])('are settings of the app, each of the size that %j gives', (hubArgs, tier, units) => {
    expect(settingsOfHubs(hubs, hubArgs)).toEqual({
      IOTHUB: 'HostName=a;',
      HUB_TIER: tier,
      HUB_UNITS: units,
      MIRROR_EVENTS_default: 'Endpoint=sb://a/;',
      IOTHUB__east: 'HostName=b;',
      HUB_TIER__east: tier,
      HUB_UNITS__east: units,
      MIRROR_EVENTS_east: 'Endpoint=sb://b/;',
    });
  });

  it("are listed with those of settings, whose connection strings are nobody else's business", () => {
    const settings = { IOTHUB__WEST: 'HostName=c;SharedAccessKey=k', IOTHUB: 'HostName=d;', HUB_TIER: 'S1' };
    expect(hubsOfApp(hubs, settings)).toEqual({ default: {}, east: hub('b'), west: {} });
    expect(hubsOfApp(hubs, {})).toEqual({ default: hub('a'), east: hub('b') });
  });

  it('end after the host and before the storage', () => {
    expect(inOrderOfEnd(['azurite', 'hub', 'hub-east', 'host'])).toEqual(['host', 'hub', 'hub-east', 'azurite']);
  });
});
