import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HubKeeperError, RefusedInputError } from '../../src/lib/errors.ts';
import { cut, redact, safeError } from '../../src/lib/redact.ts';

/** Keys as hubs and storage make them: base64 of 16 to 64 random bytes. */
const anyKey = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** Those that end in `=`: the only ones that can be told from a name when nothing names them. */
const anyPaddedKey = anyKey.filter((key) => key.endsWith('='));

const anyId = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/);

const NAMED_SHAPES: Readonly<Record<string, (key: string, id: string) => string>> = {
  'a hub connection string': (key, id) =>
    `HostName=${id}.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=${key}`,
  'a storage connection string': (key, id) =>
    `DefaultEndpointsProtocol=https;AccountName=${id};AccountKey=${key};EndpointSuffix=core.windows.net`,
  'a percent-encoded connection string': (key, id) =>
    encodeURIComponent(`HostName=${id}.azure-devices.net;SharedAccessKeyName=a;SharedAccessKey=${key}`),
  'a line of a devices file': (key, id) =>
    JSON.stringify({ id, authentication: { symmetricKey: { primaryKey: key, secondaryKey: key } } }),
  'an indented line': (key, id) => JSON.stringify({ id, symmetricKey: { primaryKey: key } }, null, 4),
  'a quoted line in an error text': (key, id) =>
    `Invalid device format in line: {"id":"${id}","authentication":{"symmetricKey":{"primaryKey":"${key}"}}}. Path 'a', line 1, position 2.`,
  'JSON within JSON': (key, id) => JSON.stringify({ message: JSON.stringify({ id, primaryKey: key }) }),
  'JSON within JSON within JSON': (key, id) =>
    JSON.stringify([JSON.stringify({ a: JSON.stringify({ secondaryKey: key, id }) })]),
  'JSON with escaped quotes': (key) => `\\u0022primaryKey\\u0022:\\u0022${key.replaceAll('+', '\\u002B')}\\u0022`,
  'JSON with escaped slashes': (key) => `{"primaryKey":"${key.replaceAll('/', '\\/')}"}`,
  'a line that was cut off': (key, id) => `{"id":"${id}","authentication":{"symmetricKey":{"primaryKey":"${key}`,
  YAML: (key) => `primaryKey: ${key}\nother: 1`,
  HTML: (key) => `&quot;primaryKey&quot;:&quot;${key}&quot;`,
  'a container SAS': (key, id) =>
    `https://${id}.blob.core.windows.net/run?sv=2024-11-04&se=2026-11-20&sr=c&sp=rwd&sig=${encodeURIComponent(key)}`,
  'a SAS in the middle of a text': (key) => `PUT https://x.test/c?sig=${encodeURIComponent(key)}&sp=r failed`,
  'a SAS within a URL': (key) => encodeURIComponent(`https://x.test/c?sr=c&sig=${encodeURIComponent(key)}&sp=r`),
  'a SAS that is not encoded': (key) => `sv=1&sig=${key}&se=2`,
  'a service token': (key, id) =>
    `Authorization: SharedAccessSignature sr=${id}&sig=${encodeURIComponent(key)}&se=1&skn=device`,
  'a service token in a connection string': (key, id) =>
    `HostName=h;SharedAccessSignature=SharedAccessSignature sr=${id}&sig=${encodeURIComponent(key)}&se=1`,
  'a function key': (key) => `GET https://x.test/api/runs?code=${encodeURIComponent(key)}&top=1`,
  'a function key header': (key) => `x-functions-key: ${key}`,
  'a bearer token': (key) => `Authorization: Bearer ${key}`,
};

const UNNAMED_SHAPES: Readonly<Record<string, (key: string, id: string) => string>> = {
  'on its own': (key) => key,
  'in prose': (key, id) => `The key of ${id} is ${key}, and that is that.`,
  'in a JSON array': (key) => JSON.stringify(['a', key, 'b']),
  'as a property of any name': (key) => JSON.stringify({ wert: key }),
  'percent-encoded': (key) => `x=${encodeURIComponent(key)}&y=1`,
  'percent-encoded twice': (key) => encodeURIComponent(encodeURIComponent(key)),
  'with escaped slashes': (key) => `["${key.replaceAll('/', '\\/')}"]`,
  'in a CSV cell': (key, id) => `${id};${key};enabled`,
  'in base64url': (key) => `"${key.replaceAll('+', '-').replaceAll('/', '_')}"`,
};

/** Whether a piece of the key long enough to be of use is still there, in whatever encoding. */
function survives(key: string, text: string): boolean {
  const bare = key.replace(/=+$/, '');
  const pieces = [bare.slice(0, 10), bare.slice(-10), bare.slice(6, 16)];
  const forms = [
    text,
    text.replaceAll('\\/', '/').replaceAll('\\u002B', '+'),
    safeDecode(text),
    safeDecode(safeDecode(text)),
  ];
  return forms.some((form) => pieces.some((piece) => form.includes(piece)));
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

describe('redact', () => {
  it.each(Object.keys(NAMED_SHAPES))('takes any key out of %s', (name) => {
    const shape = NAMED_SHAPES[name] as (key: string, id: string) => string;
    fc.assert(
      fc.property(anyKey, anyId, (key, id) => !survives(key, redact(shape(key, id)))),
      { numRuns: 200 },
    );
  });

  it.each(Object.keys(UNNAMED_SHAPES))('takes a key that nothing names out of a text where it stands %s', (name) => {
    const shape = UNNAMED_SHAPES[name] as (key: string, id: string) => string;
    fc.assert(
      fc.property(anyPaddedKey, anyId, (key, id) => {
        const text = redact(shape(key, id));
        return !survives(key, text) && !survives(key.replaceAll('+', '-').replaceAll('/', '_'), text);
      }),
      { numRuns: 200 },
    );
  });

  it('takes several keys out of whatever they are mixed with', () => {
    const shapes = Object.values(NAMED_SHAPES);
    const piece = fc.tuple(anyKey, anyId, fc.constantFrom(...shapes));
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', ' ', ' | '),
        (pieces, joint) => {
          const text = redact(pieces.map(([key, id, shape]) => shape(key, id)).join(joint));
          return pieces.every(([key]) => !survives(key, text));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes random keys without padding out of running text', () => {
    for (let round = 0; round < 200; round += 1) {
      // Always the same ones: without padding a key is told by its disorder, and one in many thousands has too little.
      const key = createHash('sha384').update(String(round)).digest('base64');
      expect(redact(`see ${key} here`)).not.toContain(key.slice(4, 20));
    }
  });

  it('takes JSON Web Tokens out, with and without their name', () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ typ: 'JWT', alg: 'RS256' })}.${part({ aud: 'https://iothubs.azure.net', oid: '1' })}.c2ln`;
    expect(redact(`Bearer ${token}`)).toBe('Bearer [redacted]');
    expect(redact(`token ${token}`)).not.toContain(part({ aud: 'https://iothubs.azure.net', oid: '1' }));
  });

  it.each([
    'device-0001',
    'Building7-FloorTwo_Sensor.Temperature:01',
    'urn:uuid:7c1f8e0a-4f5e-4f6a-9d3e-0b2b6f3d1a11',
    '{"eTag":"ODAxMjMyNDI2","twinETag":"AAAAAAAAAAE="}',
    'ETag "0x8DCF2B9F1A2B3C4"',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855',
    'Tracking ID:1f0a8f2d6f7a4a6fb9c0d5e3a1b2c3d4-G:10-TimeStamp:11/20/2026 10:11:12',
    'x-ms-request-id 2c1d2c3e-001e-0045-3c5a-1b2c3d000000',
    'https://account.blob.core.windows.net/hubkeeper-run-0123456789abcdef0123/devices.txt?restype=container',
    '/subscriptions/0000/resourceGroups/MyGroup01/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Keeper',
    'HostName=hub.azure-devices.net;SharedAccessKeyName=iothubowner',
    "authentication.symmetricKey.primaryKey: both or neither. Path 'authentication.symmetricKey', line 1, position 9.",
    '{"symmetricKey":{"primaryKey":"…","secondaryKey":"…"}}',
    'design=flat assign=x AzureWebJobsSecretStorageType=files',
    '{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x":1}',
    '2026-11-20T10:11:12.1234567Z SELECT COUNT() AS n FROM devices',
    'InvalidConfigurationCustomMetricsQuery, ThrottlingMaxActiveJobCountExceeded',
  ])('leaves %s alone', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('leaves ids, hex digests and GUIDs alone, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyId,
          fc.uuid(),
          fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
          fc.uint8Array({ minLength: 4, maxLength: 15 }).map((bytes) => Buffer.from(bytes).toString('base64')),
        ),
        (text) => redact(`see "${text}" there`) === `see "${text}" there`,
      ),
    );
  });

  it('keeps what stands around a secret', () => {
    const key = randomBytes(32).toString('base64');
    expect(
      redact(`{"id":"d1","authentication":{"symmetricKey":{"primaryKey":"${key}","secondaryKey":""}},"tags":{}}`),
    ).toBe('{"id":"d1","authentication":{"symmetricKey":{"primaryKey":"[redacted]","secondaryKey":""}},"tags":{}}');
    expect(redact(`HostName=h;SharedAccessKey=${key};UseDevelopmentEmulator=true`)).toBe(
      'HostName=h;SharedAccessKey=[redacted];UseDevelopmentEmulator=true',
    );
    expect(redact(`https://x.test/c?sr=c&sig=${encodeURIComponent(key)}&sp=r`)).toBe(
      'https://x.test/c?sr=c&sig=[redacted]&sp=r',
    );
  });

  it('changes nothing when applied again', () => {
    fc.assert(
      fc.property(anyKey, anyId, fc.constantFrom(...Object.values(NAMED_SHAPES)), (key, id, shape) => {
        const once = redact(shape(key, id));
        return redact(once) === once;
      }),
    );
  });

  it.each([
    ['one long word', 'a'],
    ['backslashes', '\\'],
    ['percent signs', '%25'],
    ['names without values', 'primaryKey '],
    ['names with open quotes', '"primaryKey":"'],
    ['escaped quotes', 'pwd="\\'],
    ['separators', 'sig=: '],
    ['token heads', 'eyJ-'],
    ['Bearer', 'Bearer '],
    ['signature heads', 'SharedAccessSignature '],
    ['keys', 'qv3TzP0sV9cG7m1h2yWmJt8xq2nL0oF5cD4eR6tY8uI='],
    ['entities', '&quot;'],
  ])('takes time in proportion to the length of %s', (_, piece) => {
    const timed = (length: number): number => {
      const text = piece.repeat(Math.ceil(length / piece.length));
      const start = performance.now();
      redact(text);
      return performance.now() - start;
    };
    timed(100_000);
    // 1 MB: tens of milliseconds when linear; minutes when every character starts a scan to the end.
    expect(timed(1_000_000)).toBeLessThan(10_000);
  });
});

describe('safeError', () => {
  const signature = encodeURIComponent(randomBytes(32).toString('base64'));
  const url = `https://account.blob.core.windows.net/run/devices.txt?sv=2024&sig=${signature}`;

  it('gives name, code and message of a storage error and nothing of its request', () => {
    const request = createPipelineRequest({
      url,
      headers: createHttpHeaders({ authorization: `SharedKey a:${signature}` }),
    });
    const error = new RestError(`PUT ${url} failed`, { code: 'AuthorizationFailure', statusCode: 403, request });
    const safe = safeError(error);
    expect(safe).toEqual({
      name: 'RestError',
      code: 'AuthorizationFailure',
      message: 'PUT https://account.blob.core.windows.net/run/devices.txt?sv=2024&sig=[redacted] failed',
    });
    expect(`${JSON.stringify(safe)}${inspect(safe)}`).not.toContain(signature.slice(0, 10));
  });

  it('gives neither stack nor cause', () => {
    const safe = safeError(new Error('outer', { cause: new Error(url) }));
    expect(safe).toEqual({ name: 'Error', message: 'outer' });
  });

  it('keeps the code of an error of ours', () => {
    const error = new RefusedInputError({ code: 'tooLong', message: 'The line is too long.', action: 'Shorten it.' });
    expect(error).toBeInstanceOf(HubKeeperError);
    expect(safeError(error)).toEqual({ name: 'RefusedInputError', code: 'tooLong', message: 'The line is too long.' });
  });

  it('tells the messages of an aggregate that has none itself', () => {
    const error = new AggregateError([
      new Error('connect ECONNREFUSED ::1:1'),
      new Error('connect ECONNREFUSED 127.0.0.1:1'),
    ]);
    expect(safeError(error).message).toBe('connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1');
  });

  it('tells a thrown text, and of any other value only that it was no error', () => {
    expect(safeError(`sig=${signature}`).message).toBe('sig=[redacted]');
    expect(safeError({ primaryKey: signature }).message).toBe('a value that is no Error was thrown');
  });

  it('ignores names and codes that are texts in disguise', () => {
    const error = Object.assign(new Error('x'), { name: `a ${url}`, code: url });
    expect(safeError(error)).toEqual({ name: 'Error', message: 'x' });
  });

  it('cuts long messages after redaction, so that no half of a secret is left', () => {
    const message = `${'x '.repeat(240)}https://a.test/?sig=${signature}`;
    expect(safeError(new Error(message)).message).toHaveLength(500);
    expect(safeError(new Error(message)).message).not.toContain(signature.slice(0, 10));
  });

  it('cut leaves short texts as they are', () => {
    expect([cut('abc', 3), cut('abcd', 3)]).toEqual(['abc', 'ab…']);
  });
});
