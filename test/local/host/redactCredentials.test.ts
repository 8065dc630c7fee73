import { describe, expect, it } from 'vitest';
import { redactCredentials } from '../../../local/host/redactCredentials.ts';

const hidden = '[Hidden Credential]';

describe('redactCredentials', () => {
  it.each([
    ['plain text with key=value and Code 7', 'plain text with key=value and Code 7'],
    [
      'HostName=h;SharedAccessKeyName=n;SharedAccessKey=abc+/=;End=1',
      `HostName=h;SharedAccessKeyName=n;SharedAccessKey=${hidden};End=1`,
    ],
    ['AccountName=a;AccountKey=abc==', `AccountName=a;AccountKey=${hidden}`],
    ['GET https://a.test/x?sv=1&sig=abc%3D&se=2 failed', `GET https://a.test/x?sv=1&sig=${hidden}&se=2 failed`],
    ['"https://a.test/api/f?code=abc"', `"https://a.test/api/f?code=${hidden}"`],
  ])('turns %j into %j', (text, expected) => {
    expect(redactCredentials(text)).toBe(expected);
    expect(redactCredentials(redactCredentials(text))).toBe(expected);
  });
});
