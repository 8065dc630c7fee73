import { expect, it } from 'vitest';

import { hubAsked } from '../../src/hosting/hubAsked.ts';

it.each([
  [['default'], undefined, 'default'],
  [['plant', 'default'], 'PLANT', 'plant'],
  [['plant'], ' plant ', 'plant'],
])('of the hubs %j, %j means %s', (aliases, asked, hub) => {
  expect(hubAsked(aliases, asked)).toEqual({ hub });
});

it.each([
  [
    ['plant', 'default'],
    undefined,
    'hubNeeded',
    'The app has several hubs: default, plant. Name the one that is meant: hub in a request, --hub in a command.',
  ],
  [['plant', 'default'], 'other', 'hubUnknown', 'It has: default, plant.'],
  [['plant'], '', 'hubUnknown', 'It has: plant.'],
])('of the hubs %j, %j means none', (aliases, asked, code, message) => {
  expect(hubAsked(aliases, asked)).toMatchObject({
    refused: { status: 400, jsonBody: { error: { code, message: expect.stringContaining(message) } } },
  });
});
