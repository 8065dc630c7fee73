import { describe, expect, it } from 'vitest';

import type { MissingField } from '../../../../src/lib/devicesFile/checkLine.ts';
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

describe('a line that overwrites', () => {
  it('is given what it leaves out, and keeps its own numbers and the order of its keys', () => {
    const text = '{"id":"d","status":"enabled","tags":{"a":1.0,"10":"x","2":"y","b":0,"site":0}}';
    expect(filledLine(text, BEFORE, wanted(ALL))).toEqual({
      text: `{"id":"d","status":"disabled","tags":{"a":1.0,"10":"x","2":"y","b":0,"site":0},${KEYS},"statusReason":"stolen","capabilities":{"iotEdge":false},"deviceScope":"${up}","parentScopes":["${up}"],"eTag":"MQ=="}`,
      kept: ALL,
      isMerged: false,
    });
  });

  it.each([
    // Complete, and nothing has to go: as it came.
    ['{"id":"d","importMode":"update","tags":{"a" : 1.0,"b":3,"site":""}}', 'same', undefined],
    ['{"id":"d","importMode":"update"}', 'same', undefined],
    ['{"id":"d","importMode":"create","tags":{}}', 'same', undefined],
    ['{"id":"d","importMode":"delete","tags":{}}', 'same', undefined],
    [
      '{"id":"d","importMode":"update","tags":{"a":1}}',
      'same',
      '{"id":"d","importMode":"update","tags":{"b":null,"site":null}}',
    ],
    [
      '{"id":"d","moduleId":"m","properties":{"desired":{"y":{"p":1}}}}',
      'same',
      '{"id":"d","moduleId":"m","properties":{"desired":{"x":null,"y":{"q":null}}}}',
    ],
    // A null in a whole section stands for what is not there: hubs refuse it in a twin that is written as a whole.
    [
      '{"id":"d","tags":{"a":1.0,"b":null,"site":"x"},"eTag":"old"}',
      '{"id":"d","tags":{"a":1.0,"site":"x"},"eTag":"MQ=="}',
      '{"id":"d","tags":{"b":null}}',
    ],
    // With an ETag that is stale neither identity nor twin is to change: the hub judges them one by one.
    [
      '{"id":"d","importMode":"updateIfMatchETag","eTag":"AAAA","status":"disabled","tags":{"b":2}}',
      '{"id":"d","importMode":"updateIfMatchETag","eTag":"AAAA","status":"disabled"}',
      undefined,
    ],
    [
      '{"id":"d","moduleId":"m","importMode":"createOrUpdateIfMatchETag","eTag":"AAAA","properties":{"desired":{}}}',
      '{"id":"d","moduleId":"m","importMode":"createOrUpdateIfMatchETag","eTag":"AAAA"}',
      undefined,
    ],
    [
      '{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==","tags":{"b":2}}',
      'same',
      '{"id":"d","importMode":"updateIfMatchETag","tags":{"a":null,"site":null}}',
    ],
    [
      '{"id":"d","importMode":"updateIfMatchETag","eTag":"*","tags":{"b":2}}',
      'same',
      '{"id":"d","importMode":"updateIfMatchETag","tags":{"a":null,"site":null}}',
    ],
  ])('%s is sent as %s, and takes away %s', (text, sent, removal) => {
    expect(filledLine(text, BEFORE, wanted())).toEqual({
      text: sent === 'same' ? text : sent,
      kept: [],
      isMerged: false,
      ...(removal === undefined ? {} : { removal }),
    });
  });

  it('keeps no keys of another type of authentication, and no scope of an edge device that is gone', () => {
    const text = '{"id":"d","authentication":{"type":"selfSigned"}}';
    const { text: filled, kept } = filledLine(
      text,
      BEFORE,
      wanted(['authentication'], { isGone: (scope) => scope === up }),
    );
    expect([filled, kept]).toEqual(['{"id":"d","authentication":{"type":"selfSigned"},"eTag":"MQ=="}', []]);
  });

  it('stays as it is when its identity is not there', () => {
    const text = '{"id":"d","importMode":"updateTwin","tags":{"a":null}}';
    expect(filledLine(text, undefined, wanted(ALL))).toEqual({ text, kept: [], isMerged: false });
  });
});

describe('a line that merges', () => {
  it.each([
    [
      '{"id":"d","importMode":"updateTwin","status":"enabled","tags":{"site":null}}',
      '{"id":"d","importMode":"updateTwinIfMatchETag","status":"enabled","tags":{"a":1.0,"b":2},"twinETag":"AAAAAAAAAAE="}',
      '{"id":"d","importMode":"updateTwin","tags":{"site":null}}',
    ],
    [
      '{"id":"d","moduleId":"m","importMode":"updateTwin","properties":{"desired":{"y":{"p":5}}}}',
      '{"id":"d","moduleId":"m","importMode":"updateTwinIfMatchETag","properties":{"desired":{"x":1,"y":{"p":5,"q":2}}},"twinETag":"AAAAAAAAAAE="}',
      undefined,
    ],
  ])('%s is sent whole, for the twin that was read', (text, sent, removal) => {
    expect(filledLine(text, BEFORE, wanted())).toEqual({
      text: sent,
      kept: [],
      isMerged: true,
      ...(removal === undefined ? {} : { removal }),
    });
  });

  it('keeps an ETag of its own', () => {
    const text = '{"id":"d","importMode":"updateTwinIfMatchETag","twinETag":"mine","tags":{"b":null}}';
    expect(filledLine(text, BEFORE, wanted())).toEqual({
      text: '{"id":"d","importMode":"updateTwinIfMatchETag","twinETag":"mine","tags":{"a":1.0,"site":"faro"}}',
      kept: [],
      isMerged: false,
      removal: '{"id":"d","importMode":"updateTwinIfMatchETag","tags":{"b":null}}',
    });
  });

  it('that gives no section is sent as it came', () => {
    const text = '{"id":"d","importMode":"updateTwin","tags":null}';
    expect(filledLine(text, BEFORE, wanted())).toEqual({ text, kept: [], isMerged: false });
  });
});
