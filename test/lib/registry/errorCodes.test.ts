import { describe, expect, it } from 'vitest';

import { explainHubError, HUB_ERRORS, reduceErrorStatus } from '../../../src/lib/registry/index.ts';

describe('explainHubError', () => {
  it('knows each name and number once', () => {
    const names = HUB_ERRORS.map(({ name }) => name);
    const codes = HUB_ERRORS.flatMap(({ code }) => (code === undefined ? [] : [code]));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('has a full sentence and an action for each', () => {
    for (const { name, sentence, action } of HUB_ERRORS) {
      expect(sentence, name).toMatch(/^[A-Z].{15,}\.$/);
      expect(action, name).toMatch(/^[A-Z].{10,}\.$/);
    }
  });

  it('finds the same entry by number, number as text, name, and name in another case', () => {
    const expected = explainHubError('DeviceAlreadyExists');
    expect(expected).toMatchObject({ code: 409001, class: 'permanent' });
    for (const key of [409001, '409001', 'devicealreadyexists', ' DeviceAlreadyExists ']) {
      expect(explainHubError(key)).toBe(expected);
    }
  });

  // Numbers as the IoT Hub error documentation and the .NET service SDK give them.
  it.each([
    [400004, 'ArgumentInvalid', 'permanent'],
    [400006, 'IotHubFormatError', 'permanent'],
    [400008, 'BlobContainerValidationError', 'permanent'],
    [400011, 'DeviceDefinedMultipleTimes', 'permanent'],
    [400012, 'DeserializationError', 'permanent'],
    [400013, 'BulkRegistryOperationFailure', 'permanent'],
    [400028, 'InvalidDeviceScope', 'permanent'],
    [401002, 'IotHubUnauthorizedAccess', 'permanent'],
    [403002, 'IotHubQuotaExceeded', 'quota'],
    [403003, 'JobQuotaExceeded', 'transient'],
    [404001, 'DeviceNotFound', 'permanent'],
    [404010, 'ModuleNotFound', 'permanent'],
    [409301, 'ModuleAlreadyExistsOnDevice', 'permanent'],
    [412001, 'PreconditionFailed', 'permanent'],
    [413003, 'TooManyModulesOnDevice', 'permanent'],
    [429001, 'ThrottlingException', 'transient'],
    [429003, 'ThrottlingBacklogTimeout', 'transient'],
    [500001, 'ServerError', 'transient'],
    [503001, 'ServiceUnavailable', 'transient'],
    [503005, 'ServerBusy', 'transient'],
  ])('knows %i as %s, %s', (code, name, errorClass) => {
    expect(explainHubError(code)).toMatchObject({ code, name, class: errorClass });
    expect(explainHubError(name)).toMatchObject({ code, name, class: errorClass });
  });

  it.each([
    [429099, 'transient'],
    [500777, 'transient'],
    [400999, 'permanent'],
    [7, 'permanent'],
  ])('takes the unknown number %i for %s, by the status it starts with', (code, errorClass) => {
    expect(explainHubError(code)).toMatchObject({ code, name: `Error${code}`, class: errorClass });
    expect(explainHubError(code).sentence).toContain(String(code));
    // The name is noted of a line, and is explained again later.
    expect(explainHubError(`Error${code}`)).toEqual(explainHubError(code));
  });

  it('explains a name it does not know without a number', () => {
    const explained = explainHubError('SomethingNewHappened');
    expect(explained).toMatchObject({ name: 'SomethingNewHappened', class: 'permanent' });
    expect(explained.code).toBeUndefined();
  });

  it('repeats nothing that is no identifier', () => {
    const explained = explainHubError('{"primaryKey":"c2VjcmV0"}');
    expect(JSON.stringify(explained)).not.toContain('c2VjcmV0');
    expect(explained.name).toBe('Unknown');
  });
});

describe('reduceErrorStatus', () => {
  const key = 'qv3TzP0sV9cG7m1h2yWmJt8xq2nL0oF5cD4eR6tY8uI=';
  const line = JSON.stringify({ id: 'd1', authentication: { symmetricKey: { primaryKey: key }, type: 'SELF_SIGNED' } });
  const status = `Invalid device format in line: ${line}. Error converting value "SELF_SIGNED" to type 'X'. Path 'authentication.type', line 1, position 249.`;

  it('keeps the field path and the explanation, and nothing of the quoted line', () => {
    expect(reduceErrorStatus(status, 400012)).toEqual({
      code: 400012,
      path: 'authentication.type',
      text: `${explainHubError(400012).sentence} Field: authentication.type.`,
    });
  });

  it('reads the code at the start of the text when none is given', () => {
    expect(reduceErrorStatus('ErrorCode:DeviceNotFound;Device d1 not registered')).toMatchObject({
      code: 'DeviceNotFound',
      text: explainHubError('DeviceNotFound').sentence,
    });
    expect(reduceErrorStatus('ErrorCode:404001;x').code).toBe(404001);
  });

  it('takes no code out of a quoted line', () => {
    const quoting = `Invalid line: ${'x'.repeat(200)} ErrorCode:DeviceNotFound;`;
    expect(reduceErrorStatus(quoting)).toEqual({ text: 'The hub refused the line without naming an error.' });
  });

  it.each([
    [
      'a path that stands within the quoted line',
      `{"tags":{"x":"Path 'a.b', line 1, position 2."}} was not good`,
      undefined,
    ],
    [
      'a key where a field name should be',
      `x. Path 'authentication.symmetricKey.${key}', line 1, position 9.`,
      'authentication.symmetricKey.?',
    ],
    ['a key without padding', `x. Path 'tags.${key.slice(0, 24).replaceAll('/', 'a')}', line 1, position 9.`, 'tags.?'],
    ['an index', `x. Path 'parentScopes[0]', line 1, position 9.`, 'parentScopes[0]'],
    [
      'a long field name of the schema',
      `x. Path 'authentication.x509Thumbprint.secondaryThumbprint', line 1, position 9.`,
      'authentication.x509Thumbprint.secondaryThumbprint',
    ],
  ])('is not misled by %s', (_, text, path) => {
    const reduced = reduceErrorStatus(text, 400012);
    expect(reduced.path).toBe(path);
    expect(JSON.stringify(reduced)).not.toContain(key.slice(0, 12));
  });

  it('reads a megabyte at once', () => {
    const start = performance.now();
    reduceErrorStatus(`Path '${"Path 'a".repeat(150_000)}`, 400012);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
