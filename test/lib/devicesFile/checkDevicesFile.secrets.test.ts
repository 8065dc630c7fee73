import fc from 'fast-check';
import { expect, it } from 'vitest';
import { displayName } from '../../../src/lib/devicesFile/findings.ts';
import { type Checked, CREATE, checkText, DEFAULTS } from './checkText.ts';

/** What must never be told: keys, signatures and connection strings of any look. */
const secret = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map(
      (bytes) => `SharedAccessSignature sr=hub&sig=${encodeURIComponent(Buffer.from(bytes).toString('base64'))}&se=1`,
    ),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `HostName=h.azure-devices.net;SharedAccessKey=${Buffer.from(bytes).toString('base64')}`),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `sv=2024&sig=${Buffer.from(bytes).toString('base64url')}`),
);

/** Lines with the secret in any place: as a value, as a name, broken, cut off, of a wrong type. */
const PLACES: readonly ((secret: string) => string)[] = [
  (s) => JSON.stringify({ id: s }),
  (s) => JSON.stringify({ id: 'd', moduleId: s }),
  (s) => JSON.stringify({ [s]: 'x', id: 'd' }),
  (s) => JSON.stringify({ id: 'd', importMode: s, status: s, statusReason: s.repeat(4), eTag: [s] }),
  (s) => JSON.stringify({ id: 'd', authentication: s }),
  (s) => JSON.stringify({ id: 'd', authentication: { type: s } }),
  (s) => JSON.stringify({ id: 'd', authentication: { [s]: 1, Type: 'sas' } }),
  (s) => JSON.stringify({ id: 'd', authentication: { type: 'sas', symmetricKey: { primaryKey: s } } }),
  (s) =>
    JSON.stringify({
      id: 'd',
      authentication: { type: 'sas', symmetricKey: { primaryKey: `${s}!`, secondaryKey: s, [s]: s } },
    }),
  (s) => JSON.stringify({ id: 'd', authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: s } } }),
  (s) => JSON.stringify({ id: 'd', tags: { [s]: { 'a b': null, [`${s}.`]: 1e300 } } }),
  (s) =>
    JSON.stringify({
      id: 'd',
      tags: { a: { [s]: s.repeat(200) } },
      properties: { desired: { [s]: { [s]: null } }, [s]: s },
    }),
  (s) => JSON.stringify({ id: 'd', capabilities: { [s]: s }, deviceScope: [s], parentScopes: s, parent: s }),
  (s) => `{"id":"d","tags":${s}}`,
  (s) => `{"id":"d","${s}`,
  (s) => `{"id":"d"} ${s}`,
  (s) => `{${s}}`,
  (s) => s,
  (s) => JSON.stringify({ id: 'd', Tags: 1, tags: { a: s } }),
  (s) => `{"id":"d","tags":{"a":"${s}\u0001"}}`,
];

/** All that is said about a file, but not the identities and lines that are handed on. */
function told({ rejected, skipped, warnings }: Checked): string[] {
  return [
    ...rejected.flatMap(({ reason, path = '' }) => [reason, path]),
    ...skipped.map(({ reason }) => reason),
    ...warnings.map(({ message }) => message),
  ];
}

it('says nothing of the secrets in a line', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...PLACES),
      secret,
      fc.constantFrom(CREATE, DEFAULTS),
      async (place, s, options) => {
        const checked = await checkText(`{"id":"first"}\n${place(s)}\n`, options);
        // No part of the secret that is long enough to be of use.
        const sentences = told(checked).join('\n');
        const leaked = Array.from({ length: Math.max(0, s.length - 11) }, (_, at) => s.slice(at, at + 12)).filter(
          (part) => sentences.includes(part) && !/^(?:SharedAccess|HostName=h)/.test(part),
        );
        expect(leaked).toEqual([]);
        // An id that a hub would take is an id, whatever it looks like.
        for (const { id } of checked.rejected)
          expect(id === undefined || /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/.test(id)).toBe(true);
      },
    ),
    { numRuns: 600 },
  );
});

it.each([
  ['a key of letters alone', 'aQfGhZkLmNbVcXzAsDfGhJ', '(a name)'],
  ['a key of zeros', 'AAAAAAAAAAAAAAAAAAAAAA', '(a name)'],
  ['a key of 16 bytes without its padding', 'q83vASNFZ4kBI0VniavN7w', '(a name)'],
  ['words', 'lastMaintenanceWindowStart', 'lastMaintenanceWindowStart'],
  ['a name with an umlaut', 'h\u00f6he', 'h\u00f6he'],
  ['words with underscores', 'last_maintenance_window_2', 'last_maintenance_window_2'],
])('shows a name of the file unless it may be a key: %s', (_what, name, shown) => {
  expect(displayName(name)).toBe(shown);
});
