import { describe, expect, test } from 'vitest';

import type { MissingField } from '../../../../src/lib/devicesFile/lineVerdict.ts';
import { beforeLine, filledLine, type Wanted } from '../../../../src/lib/provisioning/preImage/filledLine.ts';

const up = 'ms-azure-iot-edge://e1-1';
const BEFORE = beforeLine(
  JSON.stringify({
    id: 'd',
    eTag: 'MQ==',
    status: 'disabled',
    statusReason: 'stolen',
    authentication: { type: 'sas', symmetricKey: { primaryKey: 'p', secondaryKey: 's' } },
    twinETag: 'AAAAAAAAAAE=',
    tags: { a: 1, b: 2, site: 'faro' },
    properties: { desired: { x: 1, y: { p: 1, q: 2 } }, reported: {} },
    capabilities: { iotEdge: false },
    deviceScope: up,
    parentScopes: [up],
  }).replace('"a":1', '"a":1.0'),
  true,
);
const ALL: readonly MissingField[] = ['authentication', 'status', 'statusReason', 'capabilities'];
const wanted = (fields: readonly MissingField[] = [], more: Partial<Wanted> = {}): Wanted => ({
  fields,
  parent: undefined,
  isIncomplete: fields.length > 0,
  ...more,
});
const KEYS = '"authentication":{"type":"sas","symmetricKey":{"primaryKey":"p","secondaryKey":"s"}}';

interface FilledRow {
  readonly name: string;
  readonly given: {
    readonly line: string;
    /** null: the identity is not there. Default: `BEFORE`. */
    readonly before?: typeof BEFORE | null;
    readonly wanted?: Wanted;
  };
  readonly expected: {
    /** As it is sent. Default: as it came. */
    readonly text?: string;
    readonly kept?: readonly MissingField[];
    readonly isMerged?: true;
    readonly removal?: string;
  };
}

function judge({ given, expected }: FilledRow): void {
  const { line, before = BEFORE, wanted: of = wanted() } = given;
  const { text = line, kept = [], isMerged = false, removal } = expected;
  expect(filledLine(line, before ?? undefined, of)).toEqual({
    text,
    kept,
    isMerged,
    ...(removal === undefined ? {} : { removal }),
  });
}

const SCOPES = `"deviceScope":"${up}","parentScopes":["${up}"]`;
const deviceWith = (fields: object) => beforeLine(JSON.stringify({ id: 'd', eTag: 'MQ==', ...fields }), true);

describe('what a line leaves out', () => {
  test.for<FilledRow>([
    {
      name: 'is taken from the device, and the line keeps its own numbers and the order of its keys',
      given: {
        line: '{"id":"d","status":"enabled","tags":{"a":1.0,"10":"x","2":"y","b":0,"site":0}}',
        wanted: wanted(ALL),
      },
      expected: {
        text: `{"id":"d","status":"disabled","tags":{"a":1.0,"10":"x","2":"y","b":0,"site":0},${KEYS},"statusReason":"stolen","capabilities":{"iotEdge":false},${SCOPES},"eTag":"MQ=="}`,
        kept: ALL,
      },
    },
    {
      name: 'of a blocked device keeps it blocked',
      given: {
        line: '{"id":"d","importMode":"update","status":"enabled"}',
        wanted: wanted(['status'], { parent: null }),
      },
      expected: { text: '{"id":"d","importMode":"update","status":"disabled","eTag":"MQ=="}', kept: ['status'] },
    },
    {
      name: 'is left out where the device has none of it',
      given: {
        line: '{"id":"d","importMode":"update","status":"enabled"}',
        before: deviceWith({ status: 'enabled', statusReason: null }),
        wanted: wanted(['statusReason', 'capabilities']),
      },
      expected: { text: '{"id":"d","importMode":"update","status":"enabled","eTag":"MQ=="}' },
    },
    {
      name: 'is nothing where the line says all: then it goes as it came',
      given: { line: '{"id":"d", "importMode":"update","tags":{"a" : 1.0,"b":3,"site":""}}' },
      expected: {},
    },
    {
      name: 'is for the hub to make where the identity is not there',
      given: { line: '{"id":"d","importMode":"createOrUpdate","status":"enabled"}', before: null, wanted: wanted(ALL) },
      expected: {},
    },
    {
      name: 'is for the hub to make where the line only creates',
      given: { line: '{"id":"d","importMode":"create","status":"enabled","tags":{}}', wanted: wanted(ALL) },
      expected: {},
    },
    {
      name: 'does not matter where the line deletes',
      given: { line: '{"id":"d","importMode":"deleteIfMatchETag","eTag":"AAAA","tags":{}}', wanted: wanted(ALL) },
      expected: {},
    },
    {
      name: 'is keys of the same type, whatever the case of the word',
      given: {
        line: '{"id":"d","importMode":"update","authentication":{"type":"SAS"}}',
        wanted: wanted(['authentication'], { parent: null }),
      },
      expected: { text: `{"id":"d","importMode":"update",${KEYS},"eTag":"MQ=="}`, kept: ['authentication'] },
    },
    {
      name: 'is no keys of another type, nor the scope of an edge device that is gone',
      given: {
        line: '{"id":"d","authentication":{"type":"selfSigned"}}',
        wanted: wanted(['authentication'], { isGone: (scope) => scope === up }),
      },
      expected: { text: '{"id":"d","authentication":{"type":"selfSigned"},"eTag":"MQ=="}' },
    },
    {
      name: 'is not the parent where the line takes it away',
      given: { line: '{"id":"d","importMode":"update"}', wanted: wanted([], { parent: null, isIncomplete: true }) },
      expected: { text: '{"id":"d","importMode":"update","eTag":"MQ=="}' },
    },
    {
      name: 'is the parent where the line names another, which is set later',
      given: { line: '{"id":"d","importMode":"update"}', wanted: wanted([], { parent: 'e2', isIncomplete: true }) },
      expected: { text: `{"id":"d","importMode":"update",${SCOPES},"eTag":"MQ=="}` },
    },
    {
      name: 'of a module is no scope',
      given: { line: '{"id":"d","moduleId":"m","importMode":"update"}', wanted: wanted(['authentication']) },
      expected: {
        text: `{"id":"d","moduleId":"m","importMode":"update",${KEYS},"eTag":"MQ=="}`,
        kept: ['authentication'],
      },
    },
    {
      name: 'of one that compares an ETag is filled in, and its own ETag stays',
      given: {
        line: '{"id":"d","importMode":"updateIfMatchETag","eTag":"*"}',
        wanted: wanted(['authentication'], { parent: null }),
      },
      expected: { text: `{"id":"d","importMode":"updateIfMatchETag","eTag":"*",${KEYS}}`, kept: ['authentication'] },
    },
    {
      name: 'is filled in under the ETag of the device, not one that the line does not compare',
      given: {
        line: '{"id":"d","importMode":"update","eTag":"old"}',
        wanted: wanted(['authentication'], { parent: null }),
      },
      expected: { text: `{"id":"d","importMode":"update","eTag":"MQ==",${KEYS}}`, kept: ['authentication'] },
    },
    {
      name: 'of an id of any alphabet is filled in as well',
      given: {
        line: '{"id":"größe-泵-😀","importMode":"update","status":"enabled"}',
        wanted: wanted(['status'], { parent: null }),
      },
      expected: {
        text: '{"id":"größe-泵-😀","importMode":"update","status":"disabled","eTag":"MQ=="}',
        kept: ['status'],
      },
    },
  ])('$name', judge);
});

describe('of a twin that a line overwrites', () => {
  test.for<FilledRow>([
    { name: 'nothing is given, and nothing goes', given: { line: '{"id":"d","importMode":"update"}' }, expected: {} },
    {
      name: 'nothing is given by a null, and nothing goes',
      given: { line: '{"id":"d","importMode":"update","tags":null}' },
      expected: {},
    },
    {
      name: 'what the line lacks has to go',
      given: { line: '{"id":"d","importMode":"update","tags":{"a":1}}' },
      expected: { removal: '{"id":"d","importMode":"update","tags":{"b":null,"site":null}}' },
    },
    {
      name: 'all has to go',
      given: { line: '{"id":"d","importMode":"createOrUpdate","tags":{}}' },
      expected: { removal: '{"id":"d","importMode":"createOrUpdate","tags":{"a":null,"b":null,"site":null}}' },
    },
    {
      name: 'of a module what the line lacks has to go, at any depth',
      given: { line: '{"id":"d","moduleId":"m","properties":{"desired":{"y":{"p":1}}}}' },
      expected: { removal: '{"id":"d","moduleId":"m","properties":{"desired":{"x":null,"y":{"q":null}}}}' },
    },
    {
      name: 'a value replaces an object: nothing has to go',
      given: { line: '{"id":"d","importMode":"update","properties":{"desired":{"x":1,"y":2}}}' },
      expected: {},
    },
    // Hubs refuse it in a twin that is written as a whole.
    {
      name: 'a null stands for what is not there',
      given: { line: '{"id":"d","tags":{"a":1.0,"b":null,"site":"x"},"eTag":"old"}' },
      expected: {
        text: '{"id":"d","tags":{"a":1.0,"site":"x"},"eTag":"MQ=="}',
        removal: '{"id":"d","tags":{"b":null}}',
      },
    },
    {
      name: 'nothing is taken away where nothing was',
      given: { line: '{"id":"d","importMode":"update","tags":{"a":1}}', before: deviceWith({ tags: {} }) },
      expected: {},
    },
    // The hub judges identity and twin one by one.
    {
      name: 'nothing is sent under an ETag that is stale',
      given: { line: '{"id":"d","importMode":"updateIfMatchETag","eTag":"AAAA","status":"disabled","tags":{"b":2}}' },
      expected: { text: '{"id":"d","importMode":"updateIfMatchETag","eTag":"AAAA","status":"disabled"}' },
    },
    {
      name: 'nothing is sent to a module under an ETag that is stale',
      given: {
        line: '{"id":"d","moduleId":"m","importMode":"createOrUpdateIfMatchETag","eTag":"AAAA","properties":{"desired":{}}}',
      },
      expected: { text: '{"id":"d","moduleId":"m","importMode":"createOrUpdateIfMatchETag","eTag":"AAAA"}' },
    },
    {
      name: 'all is sent under an ETag that an identity of unknown ETag may have',
      given: {
        line: '{"id":"d","importMode":"updateIfMatchETag","eTag":"AAAA","tags":{"b":2}}',
        before: beforeLine('{"id":"d","tags":{"b":1}}', true),
      },
      expected: {},
    },
    {
      name: 'what the line lacks has to go under an ETag that matches',
      given: { line: '{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==","tags":{"b":2}}' },
      expected: { removal: '{"id":"d","importMode":"updateIfMatchETag","tags":{"a":null,"site":null}}' },
    },
    {
      name: 'what the line lacks has to go under any ETag',
      given: { line: '{"id":"d","importMode":"updateIfMatchETag","eTag":"*","tags":{"b":2}}' },
      expected: { removal: '{"id":"d","importMode":"updateIfMatchETag","tags":{"a":null,"site":null}}' },
    },
    {
      name: 'nothing matters to a line that creates, for it meets none',
      given: { line: '{"id":"d","importMode":"create","tags":{}}' },
      expected: {},
    },
  ])('$name', judge);
});

describe('a line that merges', () => {
  test.for<FilledRow>([
    {
      name: 'is sent whole, for the twin that was read, and takes away what it says',
      given: { line: '{"id":"d","importMode":"updateTwin","status":"enabled","tags":{"site":null}}' },
      expected: {
        text: '{"id":"d","importMode":"updateTwinIfMatchETag","status":"enabled","tags":{"a":1.0,"b":2},"twinETag":"AAAAAAAAAAE="}',
        isMerged: true,
        removal: '{"id":"d","importMode":"updateTwin","tags":{"site":null}}',
      },
    },
    {
      name: 'of a module is sent whole, at any depth',
      given: { line: '{"id":"d","moduleId":"m","importMode":"updateTwin","properties":{"desired":{"y":{"p":5}}}}' },
      expected: {
        text: '{"id":"d","moduleId":"m","importMode":"updateTwinIfMatchETag","properties":{"desired":{"x":1,"y":{"p":5,"q":2}}},"twinETag":"AAAAAAAAAAE="}',
        isMerged: true,
      },
    },
    {
      name: 'of both sections is sent whole in both',
      given: {
        line: '{"id":"d","importMode":"updateTwin","tags":{"b":1E5},"properties":{"desired":{"y":{"p":null}}}}',
      },
      expected: {
        text: '{"id":"d","importMode":"updateTwinIfMatchETag","tags":{"a":1.0,"b":1E5,"site":"faro"},"properties":{"desired":{"x":1,"y":{"q":2}}},"twinETag":"AAAAAAAAAAE="}',
        isMerged: true,
        removal: '{"id":"d","importMode":"updateTwin","properties":{"desired":{"y":{"p":null}}}}',
      },
    },
    {
      name: 'into nothing is what it gives',
      given: {
        line: '{"id":"d","importMode":"updateTwin","tags":{"a":{"b":1.0,"c":null}}}',
        before: deviceWith({ twinETag: 'AAAAAAAAAAE=' }),
      },
      expected: {
        text: '{"id":"d","importMode":"updateTwinIfMatchETag","tags":{"a":{"b":1.0}},"twinETag":"AAAAAAAAAAE="}',
        isMerged: true,
      },
    },
    {
      name: 'into a twin without an ETag is sent whole, without a guard',
      given: { line: '{"id":"d","importMode":"updateTwin","tags":{"b":1}}', before: deviceWith({ tags: { a: 1 } }) },
      expected: { text: '{"id":"d","importMode":"updateTwin","tags":{"a":1,"b":1}}' },
    },
    {
      name: 'keeps an ETag of its own',
      given: { line: '{"id":"d","importMode":"updateTwinIfMatchETag","twinETag":"mine","tags":{"b":null}}' },
      expected: {
        text: '{"id":"d","importMode":"updateTwinIfMatchETag","twinETag":"mine","tags":{"a":1.0,"site":"faro"}}',
        removal: '{"id":"d","importMode":"updateTwinIfMatchETag","tags":{"b":null}}',
      },
    },
    {
      name: 'and gives no section is sent as it came',
      given: { line: '{"id":"d","importMode":"updateTwin","tags":null}' },
      expected: {},
    },
    {
      name: 'is sent as it came where its identity is not there',
      given: { line: '{"id":"d","importMode":"updateTwin","tags":{"a":null}}', before: null, wanted: wanted(ALL) },
      expected: {},
    },
    {
      name: 'keeps text of any alphabet as it is written',
      given: {
        line: '{"id":"d","importMode":"updateTwin","tags":{"größe":"\\u6cf5","😀":"x"}}',
        before: deviceWith({ twinETag: 'AAAAAAAAAAE=', tags: { ort: 'Köln' } }),
      },
      expected: {
        text: '{"id":"d","importMode":"updateTwinIfMatchETag","tags":{"ort":"Köln","größe":"\\u6cf5","😀":"x"},"twinETag":"AAAAAAAAAAE="}',
        isMerged: true,
      },
    },
  ])('$name', judge);
});
