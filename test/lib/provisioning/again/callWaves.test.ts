import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { importModeOf } from '../../../../src/lib/devicesFile/importMode.ts';
import { CALL_WAVES, markFinished } from '../../../../src/lib/provisioning/again/callWaves.ts';
import type { WaveOutcome } from '../../../../src/lib/provisioning/again/waveOutcomes.ts';
import { openWaves, writeWave } from '../../../../src/lib/provisioning/again/waves.ts';
import { evidenceOf } from '../../../../src/lib/provisioning/evidence/evidence.ts';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { openStaging } from '../../../../src/lib/runs/runContainer.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, testContext } from '../../../helpers/provisioningContext.ts';
import { factsOf, type GivenJob } from '../evidence/givenFacts.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const AT = '2026-11-20T10:00:00.000Z';

it.each<[string, Partial<ProvisionRun>, boolean]>([
  ['goes on', {}, false],
  ['has lost its notes, and goes on', { stagingLost: { at: AT, what: 'a blob', times: 1, isSent: true } }, false],
  ['was cancelled', { cancelRequestedAt: AT }, true],
])(
  'links that were not sent when their lanes ended are over only where the run %s: %j: %s',
  async (what, change, over) => {
    const context = testContext(azurite.connectionString);
    const runId = await dropFile(context, `${what.replace(/\W/g, '')}/devices.txt`, '{"id":"d1"}\n');
    await openStaging(context, runId);
    const record = await context.runs.update(runId, (current) => ({ ...current, ...change }));
    const until = new Date(context.now().getTime() + 60_000).toISOString();
    await openWaves(context, record, until, false);
    const lines = async function* () {
      yield '{"id":"d1","importMode":"updateIfMatchETag"}';
    };
    await writeWave(context, record, { name: 'parents-1-0', links: true, until, lines: lines() });
    const [wave] = (await markFinished(context, record, 'parents-1-0')).waves;
    expect(wave?.finishedAt !== undefined).toBe(over);
  },
);

interface Earlier {
  readonly is: WaveOutcome['is'];
  readonly code?: string;
}

interface WantedRow {
  readonly name: string;
  readonly given: {
    readonly mode: string;
    readonly moduleId?: string;
    readonly job: GivenJob;
    readonly second?: GivenJob;
    /** What became of lines in waves before: of the line, and of its device. */
    readonly earlier?: { readonly line?: Earlier; readonly device?: Earlier };
  };
  /** The waves that send it. */
  readonly expected: readonly string[];
}

const met = (code: number | string, key = 'd'): GivenJob => ({ log: [[key, code]] });
const NO_PLACE = { is: 'quota', code: 'IotHubQuotaExceeded' } as const;
const NO_DEVICE = { is: 'doubtful', code: 'DeviceNotFound' } as const;

describe('a line is sent once more', () => {
  test.for<WantedRow>([
    { name: 'not when it succeeded', given: { mode: 'update', job: {} }, expected: [] },
    { name: 'not when it was refused', given: { mode: 'create', job: met(409001) }, expected: [] },
    { name: 'not when only the registry can tell', given: { mode: 'update', job: { status: 'failed' } }, expected: [] },
    { name: 'not for a warning', given: { mode: 'update', job: met(400009) }, expected: [] },
    { name: 'when it was throttled', given: { mode: 'create', job: met(429001) }, expected: ['devices'] },
    { name: 'when the hub had trouble', given: { mode: 'delete', job: met(500001) }, expected: ['devices'] },
    {
      name: 'when the hub had trouble twice',
      given: { mode: 'update', job: met(500001), second: met(503005) },
      expected: ['devices'],
    },
    {
      name: 'not when the second job has applied it',
      given: { mode: 'update', job: met(500001), second: {} },
      expected: [],
    },
    {
      name: 'after all devices when it is a module',
      given: { mode: 'createOrUpdate', moduleId: 'm', job: met(429001, 'd/m') },
      expected: ['modules'],
    },
    {
      name: 'as a patch when it merges',
      given: { mode: 'updateTwin', job: met(429001) },
      expected: ['merges'],
    },
    {
      name: 'as a patch when it merges into the twin of a module',
      given: { mode: 'updateTwin', moduleId: 'm', job: met(500001, 'd/m') },
      expected: ['merges'],
    },
    {
      name: 'as a patch when its twin has changed',
      given: { mode: 'updateTwin', job: met(412001) },
      expected: ['merges'],
    },
    {
      name: 'as it was when it compares an ETag of its own: no patch can do that',
      given: { mode: 'updateTwinIfMatchETag', job: met(429001) },
      expected: ['devices'],
    },
    {
      name: 'not when the ETag of its own is another',
      given: { mode: 'updateTwinIfMatchETag', job: met(412001) },
      expected: [],
    },
    {
      name: 'with its twin alone when that is missing',
      given: { mode: 'create', job: met('DeviceRegisteredWithoutTwin') },
      expected: ['twins'],
    },
    {
      name: 'one by one when the hub was full',
      given: { mode: 'create', job: met(403002) },
      expected: ['full-devices'],
    },
    {
      name: 'one by one, after the devices, when the hub was full for a module',
      given: { mode: 'create', moduleId: 'm', job: met(403002, 'd/m') },
      expected: ['full-modules'],
    },
    {
      name: 'one by one when a call met a full hub',
      given: { mode: 'create', job: met(429001), earlier: { line: NO_PLACE } },
      expected: ['devices', 'full-devices'],
    },
    {
      name: 'not one by one when a call has applied it',
      given: { mode: 'create', job: met(403002), earlier: { line: { is: 'succeeded' } } },
      expected: [],
    },
    {
      name: 'one by one when it is a module whose device has found a place by now',
      given: {
        mode: 'create',
        moduleId: 'm',
        job: {
          log: [
            ['d', 403002],
            ['d/m', 429001],
          ],
        },
        earlier: { line: NO_DEVICE, device: { is: 'succeeded' } },
      },
      expected: ['modules', 'full-modules'],
    },
    {
      name: 'not when it is a module whose device has found none',
      given: {
        mode: 'create',
        moduleId: 'm',
        job: met(429001, 'd/m'),
        earlier: { line: NO_DEVICE, device: NO_PLACE },
      },
      expected: ['modules'],
    },
    {
      name: 'not when it is a module that was refused for a reason of its own',
      given: {
        mode: 'create',
        moduleId: 'm',
        job: met(429001, 'd/m'),
        earlier: { line: { is: 'doubtful', code: 'ArgumentInvalid' }, device: { is: 'succeeded' } },
      },
      expected: ['modules'],
    },
    {
      name: 'not when all notes of how it was sent are lost',
      given: { mode: 'create', job: { ...met(429001), lost: true } },
      expected: [],
    },
  ])('$name', ({ given: { mode, moduleId, job, second, earlier = {} }, expected }) => {
    const line = { id: 'd', importMode: mode, ...(moduleId === undefined ? {} : { moduleId }) };
    const sent = { text: '', asked: '', line, mode: importModeOf(line) };
    const facts = factsOf(job, second);
    const outcomes = {
      has: (is: WaveOutcome['is']) => Object.values(earlier).some((outcome) => outcome.is === is),
      find(of: { readonly moduleId?: string }): WaveOutcome | undefined {
        const outcome = of.moduleId === moduleId ? earlier.line : earlier.device;
        return outcome && { tries: 1, ...outcome };
      },
    };
    const evidence = evidenceOf({ ...line, mode: sent.mode }, facts);
    const wanting = CALL_WAVES.filter(({ wants }) => wants(sent, evidence, outcomes));
    expect(wanting.map(({ name }) => name)).toEqual(expected);
    // A wave that would send it is never left out for the codes that the logs name.
    expect(wanting.filter(({ mayHave }) => !mayHave(facts, outcomes))).toEqual([]);
  });
});
