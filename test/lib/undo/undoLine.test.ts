import { describe, expect, it } from 'vitest';

import { undoLine } from '../../../src/lib/undo/undoLine.ts';
import type { Undo } from '../../../src/lib/undo/undoOf.ts';

const AUTH = '{"symmetricKey":{"primaryKey":"a2V5","secondaryKey":"a2V5"},"type":"sas"}';
const EDGE = '"deviceScope":"ms-azure-iot-edge://gw-1-63","parentScopes":["ms-azure-iot-edge://gw-1-63"]';
/** As a hub writes it: nulls, empty texts, numbers and key order as they are. */
const BEFORE =
  `{"id":"d\u00e9","eTag":"T0xE","status":"disabled","statusReason":"stolen","authentication":${AUTH},"twinETag":"AAAAAAAAAAE=",` +
  `"tags":{"10":1.0,"2":1e2},"properties":{"desired":{"b":1,"$metadata":{},"$version":3},"reported":{"r":1}},"capabilities":{"iotEdge":false},${EDGE}}`;
const LIVE = '{"id":"d\u00e9","eTag":"TkVX","status":"enabled","twinETag":"AAAAAAAAAAI="}';
const BARE =
  '{"id":"d\u00e9","moduleId":null,"eTag":"","status":"enabled","statusReason":null,"authentication":null,"tags":null,"properties":null}';
const MODULE = `{"id":"d","moduleId":"m","eTag":"T0xE","status":"enabled","authentication":${AUTH},"tags":{},"managedBy":"me"}`;

const restore = (fields: readonly string[]): Undo => ({ do: 'restore', fields, keysUnknown: false });

const FULL =
  `"status":"disabled","statusReason":"stolen","authentication":${AUTH},"tags":{"10":1.0,"2":1e2},` +
  '"properties":{"desired":{"b":1}},"capabilities":{"iotEdge":false}';

describe('the line that puts back', () => {
  it.each<[string, Undo, string, string, boolean, string | undefined]>([
    ['nothing', { do: 'nothing' }, BEFORE, LIVE, false, undefined],
    ['what is left alone', { do: 'foreign', fields: ['tags'] }, BEFORE, LIVE, false, undefined],
    [
      'what was made: a delete of what was looked at',
      { do: 'remove', keysUnknown: false },
      BEFORE,
      LIVE,
      false,
      '{"id":"d\u00e9","importMode":"deleteIfMatchETag","eTag":"TkVX"}',
    ],
    [
      'what was made, with force',
      { do: 'remove', keysUnknown: false },
      BEFORE,
      LIVE,
      true,
      '{"id":"d\u00e9","importMode":"delete"}',
    ],
    [
      'what was changed: all of it, as it was written, over what was looked at',
      restore(['tags.10']),
      BEFORE,
      LIVE,
      false,
      `{"id":"d\u00e9","importMode":"updateIfMatchETag","eTag":"TkVX","twinETag":"AAAAAAAAAAI=",${FULL}}`,
    ],
    [
      'what was changed, with force',
      restore(['tags.10']),
      BEFORE,
      LIVE,
      true,
      `{"id":"d\u00e9","importMode":"update",${FULL}}`,
    ],
    [
      'a parent that was lost, too',
      restore(['status', 'parent']),
      BEFORE,
      LIVE,
      true,
      `{"id":"d\u00e9","importMode":"update",${FULL},"parent":"gw-1"}`,
    ],
    [
      'a parent alone, and nothing else',
      { do: 'restore', fields: ['parent'], keysUnknown: false, linkOnly: true },
      BEFORE,
      LIVE,
      false,
      '{"id":"d\u00e9","importMode":"updateIfMatchETag","eTag":"TkVX","parent":"gw-1"}',
    ],
    [
      'what was deleted',
      { do: 'recreate' },
      BEFORE,
      LIVE,
      false,
      `{"id":"d\u00e9","importMode":"create",${FULL},"parent":"gw-1"}`,
    ],
    [
      'what had nothing: what was not there goes',
      restore(['parent', 'tags.x']),
      BARE,
      BARE,
      false,
      '{"id":"d\u00e9","importMode":"update","status":"enabled","statusReason":"","tags":{},"properties":{"desired":{}},"capabilities":{"iotEdge":false},"parent":null}',
    ],
    [
      'a module, which has no status and no parent',
      { do: 'recreate' },
      MODULE,
      LIVE,
      false,
      `{"id":"d","moduleId":"m","importMode":"create","authentication":${AUTH},"tags":{},"properties":{"desired":{}}}`,
    ],
  ])('%s', (_name, undo, before, live, force, expected) => {
    const line = undoLine(undo, { before, live, force });
    // Ids are written as they came.
    expect(line?.replaceAll('é', '\\u00e9')).toBe(expected?.replaceAll('é', '\\u00e9'));
  });
});
