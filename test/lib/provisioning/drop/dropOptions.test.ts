import { describe, expect, it } from 'vitest';

import {
  metadataGivesOptions,
  OptionsRefused,
  optionsFromJson,
  optionsFromMetadata,
} from '../../../../src/lib/provisioning/drop/dropOptions.ts';
import { DEFAULT_OPTIONS } from '../../../../src/lib/provisioning/run/options.ts';

function refusal(act: () => unknown): OptionsRefused {
  try {
    act();
  } catch (error) {
    if (error instanceof OptionsRefused) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('options in options.json', () => {
  it('are defaults where nothing is said', () => {
    expect(optionsFromJson('{}', 'options.json')).toEqual(DEFAULT_OPTIONS);
  });

  it('are taken with their types, a byte order mark and any case of words', () => {
    const text =
      '\uFEFF{"importMode":"Update","onInvalidLine":"ABORT","maxRejects":3,"missingKeys":"regenerate","backupFirst":"Never","dryRun":true,"retryMinutes":0,"confirm":" hub1 "}';
    expect(optionsFromJson(text, 'options.json')).toEqual({
      importMode: 'update',
      onInvalidLine: 'abort',
      maxRejects: 3,
      missingKeys: 'regenerate',
      backupFirst: 'never',
      dryRun: true,
      retryMinutes: 0,
      confirm: 'hub1',
    });
  });

  it('that are no JSON are refused by the name of the file, without quoting it', () => {
    const { message } = refusal(() => optionsFromJson('{"confirm": secretthing', 'provision/b1/options.json'));
    expect(message).toBe('provision/b1/options.json is not valid JSON.');
  });

  it.each(['[]', '3', 'null', '"dryRun"'])('that are %s instead of an object are refused', (text) => {
    expect(refusal(() => optionsFromJson(text, 'options.json')).message).toContain('one JSON object');
  });

  it('are refused when one is there twice, for nobody can tell which of them is meant', () => {
    expect(refusal(() => optionsFromJson('{"dryRun":true,"dryRun":false}', 'options.json'))).toMatchObject({
      code: 'optionsTwice',
      message: 'options.json has the option dryRun more than once.',
    });
  });

  it('are refused with every unknown and every wrong one named', () => {
    const text = '{"dryrun":true,"speed":9,"maxRejects":-1,"importMode":"upsert","missingKeys":1}';
    const { message, action } = refusal(() => optionsFromJson(text, 'options.json'));
    expect(message).toContain('unknown option "dryrun" (did you mean dryRun?)');
    expect(message).toContain('unknown option "speed"');
    expect(message).toContain('maxRejects must be a whole number');
    expect(message).toContain('importMode must be one of create,');
    expect(message).toContain('missingKeys must be one of keep, regenerate');
    expect(action).toContain('retryMinutes');
  });
});

describe('options in blob metadata', () => {
  it('are read without regard to the case of their names, as storage does not keep it', () => {
    expect(
      optionsFromMetadata({ importmode: 'create', DryRun: 'true', maxrejects: '5', hubkeeper: 'cli/0.1.0' }),
    ).toEqual({
      ...DEFAULT_OPTIONS,
      importMode: 'create',
      dryRun: true,
      maxRejects: 5,
    });
  });

  it('count as given by the marker alone, so that no options.json is waited for', () => {
    expect(metadataGivesOptions({ hubkeeper: 'cli/0.1.0' })).toBe(true);
    expect(metadataGivesOptions({})).toBe(false);
  });

  it('do not count as given by what copying tools write', () => {
    expect(metadataGivesOptions({ mtime: '1', hdi_isfolder: 'true', posix_mode: '1' })).toBe(false);
  });

  it('are refused when one is unknown: a mistyped dryRun must not become a real run', () => {
    expect(refusal(() => optionsFromMetadata({ dryrunn: 'true' })).message).toContain('unknown option "dryrunn"');
  });
});

const CONNECTION_STRING =
  'HostName=h.example;SharedAccessKeyName=iothubowner;SharedAccessKey=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const BARE_KEY = 'bm8tc3VjaC1odWItbm8tc3VjaC1odWIt+bm8tc3VjaC1o';

describe('options that hold what they should not', () => {
  it.each([
    ['a connection string', CONNECTION_STRING],
    ['a key', BARE_KEY],
    ['a key of letters alone', 'AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKKKLLLLMMMMNNNNOOOO'],
    ['a signature', 'SharedAccessSignature sr=h&sig=abc'],
  ])('are refused when confirm is %s, and it is not repeated', (_what, confirm) => {
    for (const refused of [
      refusal(() => optionsFromJson(JSON.stringify({ confirm }), 'options.json')),
      refusal(() => optionsFromMetadata({ confirm })),
    ]) {
      expect(refused.message).toContain('confirm must be the name of the hub');
      expect(JSON.stringify([refused.message, refused.action])).not.toContain(confirm);
    }
  });

  it.each(['hub1', 'my-hub-2', '127.0.0.1:8081', 'localhost:5000', '[::1]:8081', 'myhub.azure-devices.net'])(
    'are taken when confirm is %s',
    (confirm) => {
      expect(optionsFromJson(JSON.stringify({ confirm }), 'options.json').confirm).toBe(confirm);
    },
  );

  it.each(['importMode', 'onInvalidLine', 'maxRejects', 'missingKeys', 'backupFirst', 'dryRun', 'retryMinutes'])(
    'do not repeat a wrong value of %s',
    (name) => {
      const refused = refusal(() => optionsFromJson(JSON.stringify({ [name]: CONNECTION_STRING }), 'options.json'));
      expect(refused.message).toContain(name);
      expect(refused.message).not.toMatch(/h\.example|AAAA/);
    },
  );

  it('do not repeat an unknown name that may be a secret, and name one that is a word', () => {
    const secrets = [CONNECTION_STRING, BARE_KEY, 'bm8tc3VjaC1odWItbm8tc3VjaC1odWI'];
    const refused = refusal(() =>
      optionsFromJson(JSON.stringify(Object.fromEntries(secrets.map((name) => [name, 1]))), 'options.json'),
    );
    for (const secret of secrets) expect(refused.message).not.toContain(secret.slice(0, 12));
    expect(refused.message).toContain('3 unknown options whose names are not shown');
    expect(refusal(() => optionsFromJson('{"retryminute":1}', 'o')).message).toContain('unknown option "retryminute"');
  });
});
