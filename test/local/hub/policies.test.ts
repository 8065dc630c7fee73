import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { connectionStringsOf, mintPolicies } from '../../../local/hub/policies.ts';

it('the sample settings open a simulator on the port that the docs give it', () => {
  const sample = JSON.parse(readFileSync(new URL('../../../local.settings.sample.json', import.meta.url), 'utf8')) as {
    Values: Record<string, string>;
  };
  expect(sample.Values['IOTHUB']).toBe(connectionStringsOf(mintPolicies(), '127.0.0.1:8081').iothubowner);
});
