import { describe, expect, it } from 'vitest';
import { helpText, parseCommandLine } from '../../../local/hub/commandLine.ts';
import { SETTING_NAMES } from '../../../local/hub/hubOptions.ts';

describe('the command line of the hub', () => {
  it('takes every setting by its name in dashes', () => {
    const command = parseCommandLine([
      '--json',
      '--name',
      'plant',
      '--data',
      '/x',
      '--port',
      '1',
      '--admin-port=2',
      '--event-port',
      '3',
      '--event-hub-name',
      'ehub',
      '--event-partitions',
      '8',
      '--consumer-groups',
      'mirror,other',
      '--twin-events',
      '--seed',
      '3',
      '--job-enqueue-ms',
      '5',
      '--job-echo',
      '--tier',
      'S2',
      '--time-scale',
      '1.5',
      '--max-devices',
      '50',
    ]);
    expect(command).toEqual({
      help: false,
      json: true,
      options: {
        name: 'plant',
        data: '/x',
        port: 1,
        adminPort: 2,
        eventPort: 3,
        eventHubName: 'ehub',
        eventPartitions: 8,
        consumerGroups: ['mirror', 'other'],
        twinEvents: true,
        seed: 3,
        jobEnqueueMs: 5,
        jobEcho: true,
        tier: 'S2',
        timeScale: 1.5,
        maxDevices: 50,
      },
    });
  });

  it('names what is wrong', () => {
    const cases: readonly (readonly [args: readonly string[], text: RegExp])[] = [
      [['--tier', 'S9'], /^tier must be one of none, S1, S2, S3, not "S9"/],
      [['--job-rate', 'x'], /^jobRate must be a whole number of at least 0/],
      [['--port', 'x'], /^--port must be a whole number, not 'x'/],
      [['--nonsense'], /nonsense/],
      [['extra'], /extra/],
    ];
    for (const [args, text] of cases) expect(() => parseCommandLine(args)).toThrow(text);
  });

  it('explains every setting', () => {
    const help = helpText();
    for (const name of SETTING_NAMES) {
      expect(help).toContain(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    }
  });
});
