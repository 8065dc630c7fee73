import { describe, expect, it } from 'vitest';
import { identityKey, type RegistryIdentity, type RegistrySnapshot } from './readRegistry.ts';
import { judge, naturalOutcomes, type OracleInput, readDrop } from './registryOracle.ts';

const KEYS = { type: 'sas', primaryThumbprint: null, secondaryThumbprint: null };

const identity = (deviceId: string, more: Partial<RegistryIdentity> = {}): RegistryIdentity => ({
  deviceId,
  moduleId: '',
  eTag: 'MQ==',
  generationId: `g-${deviceId}`,
  status: 'enabled',
  statusReason: '',
  authentication: { ...KEYS, primaryKey: `${deviceId}-1`, secondaryKey: `${deviceId}-2` },
  iotEdge: false,
  tags: {},
  desired: {},
  ...more,
});

const registry = (...identities: RegistryIdentity[]): RegistrySnapshot =>
  new Map(identities.map((one) => [identityKey(one.deviceId, one.moduleId), one]));

const row = (line: number, outcome: string, deviceId: string, more: { code?: string; moduleId?: string } = {}) => ({
  line: String(line),
  deviceId,
  moduleId: '',
  outcome,
  code: '',
  ...more,
});

const contradictions = (input: OracleInput) => judge(input).contradictions;

const a = identity('a');
const renewed = { ...KEYS, primaryKey: 'other', secondaryKey: 'another' };

describe('the oracle finds a report and a registry of one mind', () => {
  const cases: Record<string, OracleInput> = {
    'a device was made as asked': {
      before: registry(),
      after: registry(identity('a', { tags: { n: 1 }, status: 'disabled' })),
      file: '{"id":"a","status":"disabled","tags":{"n":1},"authentication":{"symmetricKey":{"primaryKey":"a-1","secondaryKey":"a-2"}}}\n',
      rows: [row(1, 'succeeded', 'a')],
    },
    'what a line leaves out is kept': {
      before: registry(identity('a', { status: 'disabled', statusReason: 'stolen', iotEdge: true })),
      after: registry(
        identity('a', { status: 'disabled', statusReason: 'stolen', iotEdge: true, desired: { x: 1 }, eTag: 'Mg==' }),
      ),
      file: '\n{"id":"a","importMode":"update","properties":{"desired":{"x":1}}}',
      rows: [row(2, 'succeeded', 'a')],
    },
    'new keys were asked for': {
      before: registry(a),
      after: registry({ ...a, authentication: renewed }),
      file: '{"id":"a"}',
      rows: [row(1, 'succeeded', 'a')],
      missingKeys: 'regenerate',
    },
    'a deleted device takes its modules along': {
      before: registry(a, identity('a', { moduleId: 'm' })),
      after: registry(),
      file: '{"id":"a","importMode":"delete"}\n{"id":"b","importMode":"delete"}',
      rows: [row(1, 'succeeded', 'a'), row(2, 'unchanged', 'b')],
    },
    'a failed etag mode wrote the twin alone': {
      before: registry(a),
      after: registry({ ...a, tags: { n: 1 } }),
      file: '{"id":"a","importMode":"updateIfMatchETag","eTag":"MQ==","status":"disabled","tags":{"n":1}}',
      rows: [row(1, 'failed', 'a', { code: 'PreconditionFailed' })],
    },
    'a twin was merged': {
      before: registry(identity('a', { tags: { n: 1, gone: 2, o: { p: 1, q: 2 } }, desired: { x: 1 } })),
      after: registry(identity('a', { tags: { n: 1, o: { p: 5, q: 2 } }, desired: { x: 1 } })),
      file: '{"id":"a","importMode":"updateTwin","tags":{"gone":null,"o":{"p":5}}}',
      rows: [row(1, 'succeeded', 'a')],
    },
    'a section was overwritten': {
      before: registry(identity('a', { tags: { n: 1, old: 2 }, desired: { x: 1 } })),
      after: registry(identity('a', { tags: { n: 2 }, desired: { x: 1 } })),
      file: '{"id":"a","importMode":"update","tags":{"n":2,"gone":null}}',
      rows: [row(1, 'succeeded', 'a')],
    },
    'a line says that it left what had to go': {
      before: registry(identity('a', { tags: { n: 1, old: 2 } })),
      after: registry(identity('a', { tags: { n: 2, old: 2 }, status: 'disabled' })),
      file: '{"id":"a","importMode":"update","status":"disabled","tags":{"n":2}}',
      rows: [row(1, 'failed', 'a', { code: 'keysNotRemoved' })],
    },
    'the second of two lines was kept out': {
      before: registry(a),
      after: registry(),
      file: '{"id":"a","importMode":"delete"}\n{"id":"a","tags":{"n":1}}\nnonsense',
      rows: [row(1, 'succeeded', 'a'), row(2, 'rejected', 'a'), row(3, 'rejected', '')],
    },
    'nothing is known of a line': {
      before: registry(a),
      after: registry({ ...a, status: 'disabled' }),
      file: '{"id":"a","importMode":"update","status":"disabled"}',
      rows: [row(1, 'unconfirmed', 'a')],
    },
  };
  for (const [name, input] of Object.entries(cases)) {
    it(`when ${name}`, () => expect(contradictions(input)).toEqual([]));
  }
});

describe('the oracle finds the contradiction', () => {
  const update = '{"id":"a","importMode":"update","tags":{"n":1}}';
  const cases: Record<string, { readonly input: OracleInput; readonly says: RegExp }> = {
    'when a line is not reported': {
      input: { before: registry(a), after: registry(a), file: update, rows: [] },
      says: /line 1: not reported/,
    },
    'when a line is reported twice': {
      input: {
        before: registry(a),
        after: registry(a),
        file: update,
        rows: [row(1, 'rejected', 'a'), row(1, 'rejected', 'a')],
      },
      says: /line 1: reported twice/,
    },
    'when a success was not applied': {
      input: { before: registry(a), after: registry(a), file: update, rows: [row(1, 'succeeded', 'a')] },
      says: /tags are {}, not {"n":1}/,
    },
    'when a hub merged what was to be overwritten': {
      input: {
        before: registry(identity('a', { tags: { old: 2 } })),
        after: registry(identity('a', { tags: { n: 1, old: 2 } })),
        file: update,
        rows: [row(1, 'succeeded', 'a')],
      },
      says: /tags are {"n":1,"old":2}, not {"n":1}/,
    },
    'when a hub replaced what was to be merged': {
      input: {
        before: registry(identity('a', { tags: { old: 2 } })),
        after: registry(identity('a', { tags: { n: 1 } })),
        file: '{"id":"a","importMode":"updateTwin","tags":{"n":1}}',
        rows: [row(1, 'succeeded', 'a')],
      },
      says: /tags are {"n":1}, not {"old":2,"n":1}/,
    },
    'when a stale etag changed the twin': {
      input: {
        before: registry(a),
        after: registry({ ...a, tags: { n: 1 } }),
        file: '{"id":"a","importMode":"updateIfMatchETag","eTag":"x","tags":{"n":1}}',
        rows: [row(1, 'failed', 'a', { code: 'PreconditionFailed' })],
      },
      says: /failed with PreconditionFailed, but tags changed/,
    },
    'when keys were not kept': {
      input: {
        before: registry(a),
        after: registry({ ...a, tags: { n: 1 }, authentication: renewed }),
        file: update,
        rows: [row(1, 'succeeded', 'a')],
      },
      says: /authentication was not kept$/,
    },
    'when a blocked device was let in': {
      input: {
        before: registry({ ...a, status: 'disabled' }),
        after: registry({ ...a, tags: { n: 1 } }),
        file: update,
        rows: [row(1, 'succeeded', 'a')],
      },
      says: /status is enabled, not disabled/,
    },
    'when a device was deleted and made anew': {
      input: {
        before: registry(a),
        after: registry({ ...a, tags: { n: 1 }, generationId: 'g2' }),
        file: update,
        rows: [row(1, 'succeeded', 'a')],
      },
      says: /made anew/,
    },
    'when a failure was applied': {
      input: {
        before: registry(a),
        after: registry({ ...a, tags: { n: 1 } }),
        file: update,
        rows: [row(1, 'failed', 'a', { code: 'ServerError' })],
      },
      says: /failed with ServerError, but tags changed/,
    },
    'when a failed etag mode was applied in full': {
      input: {
        before: registry(a),
        after: registry({ ...a, status: 'disabled', tags: { n: 1 } }),
        file: '{"id":"a","importMode":"updateIfMatchETag","eTag":"x","status":"disabled","tags":{"n":1}}',
        rows: [row(1, 'failed', 'a', { code: 'PreconditionFailed' })],
      },
      says: /status changed/,
    },
    'when a failed create made its device': {
      input: {
        before: registry(),
        after: registry(a),
        file: '{"id":"a","importMode":"create"}',
        rows: [row(1, 'failed', 'a', { code: 'DeviceAlreadyExists' })],
      },
      says: /but it is there/,
    },
    'when a delete that did something is called unchanged': {
      input: {
        before: registry(a),
        after: registry(),
        file: '{"id":"a","importMode":"delete"}',
        rows: [row(1, 'unchanged', 'a')],
      },
      says: /it was there before/,
    },
    'when a create of what was there is called a success': {
      input: {
        before: registry(a),
        after: registry(a),
        file: '{"id":"a","importMode":"create"}',
        rows: [row(1, 'succeeded', 'a')],
      },
      says: /it was there before/,
    },
    'when a device that no line names is gone': {
      input: { before: registry(a, identity('b')), after: registry(a), file: '', rows: [] },
      says: /b: no line was taken in for it, but it is gone/,
    },
    'when a skipped line was applied': {
      input: {
        before: registry(a),
        after: registry(),
        file: '{"id":"a","importMode":"delete"}',
        rows: [row(1, 'skipped', 'a')],
      },
      says: /no line was taken in for it, but it is gone/,
    },
    'when both of two lines with one id were taken in': {
      input: {
        before: registry(a),
        after: registry({ ...a, tags: { n: 1 } }),
        file: `${update}\n${update}`,
        rows: [row(1, 'succeeded', 'a'), row(2, 'succeeded', 'a')],
      },
      says: /taken in twice/,
    },
  };
  for (const [name, { input, says }] of Object.entries(cases)) {
    it(name, () => expect(contradictions(input).join('\n')).toMatch(says));
  }
});

it('knows what lines come to on a hub without trouble: devices first, and a module after its device', () => {
  const file = [
    '{"id":"b","moduleId":"m","importMode":"create"}',
    '{"id":"b","importMode":"create"}',
    '{"id":"a","importMode":"create"}',
    '{"id":"c","importMode":"update"}',
    '{"id":"c2","importMode":"delete"}',
    '{"id":"a2","importMode":"updateIfMatchETag","eTag":"MQ=="}',
    '{"id":"a3","importMode":"updateIfMatchETag","eTag":"other"}',
    '{"id":"a4","importMode":"delete"}',
    '{"id":"a4","moduleId":"m","importMode":"update"}',
    '{"id":"r","importMode":"create"}',
    '{"id":"r","moduleId":"m","importMode":"create"}',
  ].join('\n');
  const before = registry(a, identity('a2'), identity('a3'), identity('a4'), identity('a4', { moduleId: 'm' }));
  const lines = [...readDrop(file).values()].filter((line) => line !== undefined);
  const outcomes = naturalOutcomes(before, lines, ['r']);
  expect(lines.map(({ line }) => outcomes.get(line))).toEqual([
    'succeeded',
    'succeeded',
    'failed',
    'failed',
    'unchanged',
    'succeeded',
    'failed',
    'succeeded',
    undefined,
    'failed',
    'failed',
  ]);
});
