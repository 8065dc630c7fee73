import { describe, expect, test } from 'vitest';
import { createTroubles, troubleText } from '../../../../local/host/eventHub/troubles.ts';
import { eventFunction } from './receivedEvent.ts';

const target = eventFunction();
const error = (code: string, message = '') => Object.assign(new Error(message), { name: 'MessagingError', code });

describe('what is wrong', () => {
  test.each<[unknown, RegExp]>([
    [error('UnauthorizedError', 'Unauthorized'), /Access to event hub "events" is refused: "Events" needs a valid key/],
    [
      error('MessagingEntityNotFoundError'),
      /There is no event hub "events" with consumer group "mirror" where "Events"/,
    ],
    [
      error('ArgumentError', "The supplied offset '9' is invalid."),
      /stored position in event hub "events" is refused: the event hub is another/,
    ],
    [error('ReceiverDisconnectedError'), /Another reader has taken over in consumer group "mirror"/],
    [
      error('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5671'),
      /cannot be reached \(ECONNREFUSED\): look at "Events"/,
    ],
    [
      new AggregateError([error('', 'first'), error('', 'getaddrinfo ENOTFOUND ns')]),
      /cannot be reached \(ENOTFOUND\)/,
    ],
    [
      Object.assign(new Error('signature sig=abc'), {
        name: 'RestError',
        code: 'AuthorizationFailure',
        statusCode: 403,
      }),
      /positions of event hub "events" in AzureWebJobsStorage cannot be read or written: AuthorizationFailure, HTTP 403\.$/,
    ],
    [
      new Error('Error occurred while fetching the list of blobs. \nRestError: sig=abc'),
      /owners of the partitions of event hub "events" cannot be read/,
    ],
    [error('SomethingElse', 'It broke. TrackingId:1-2-3, Timestamp:now'), /failed: SomethingElse: It broke\.$/],
    ['a text', /failed: a text\.$/],
  ])('is said of %s', (thrown, text) => {
    expect(troubleText(thrown, target)).toMatch(text);
  });

  test('never has a secret in it', () => {
    const text =
      'Endpoint=sb://ns/;SharedAccessKeyName=a;SharedAccessKey=c2VjcmV0 and SharedAccessSignature sr=x&sig=abc%3D&se=1';
    const said = troubleText(new Error(text), target);
    expect(said).not.toContain('c2VjcmV0');
    expect(said).not.toContain('abc%3D');
  });
});

describe('a trouble', () => {
  function told() {
    const lines: string[] = [];
    let time = 0;
    const troubles = createTroubles(
      target,
      (level, source, message) => lines.push(`${level} [${source}] ${message}`),
      () => time,
    );
    return {
      troubles,
      lines,
      pass: (milliseconds: number) => {
        time += milliseconds;
      },
    };
  }

  test('is told once for all partitions, and again after five minutes', () => {
    const { troubles, lines, pass } = told();
    for (const partition of ['0', '1', '0']) troubles.tell(error('UnauthorizedError'), partition);
    expect(lines).toEqual([expect.stringMatching(/^warning \[mirror\] Access .* Trying on \(partition 0\)\.$/)]);
    pass(299_000);
    troubles.tell(error('UnauthorizedError'), '1');
    expect(lines).toHaveLength(1);
    pass(1_000);
    troubles.tell(error('UnauthorizedError'), '1');
    expect(lines).toHaveLength(2);
  });

  test('is over when every partition that had it was read', () => {
    const { troubles, lines } = told();
    troubles.tell(error('UnauthorizedError'));
    troubles.tell(error('ArgumentError'), '1');
    troubles.over('0');
    expect(lines).toHaveLength(2);
    troubles.over('1');
    expect(lines[2]).toBe('info [mirror] Event hub "events" can be read again.');
    troubles.over('1');
    expect(lines).toHaveLength(3);
    troubles.tell(error('UnauthorizedError'));
    expect(lines).toHaveLength(4);
  });
});
