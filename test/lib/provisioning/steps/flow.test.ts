import { describe, expect, it } from 'vitest';

import {
  beginProvisioning,
  FLOW,
  type Inputs,
  type Results,
  resumedStep,
  type StepName,
} from '../../../../src/lib/provisioning/steps/flow.ts';
import type { AskReply, Step } from '../../../../src/lib/runs/step.ts';

const runId = '0123456789abcdef0123';
const NOW = Date.parse('2026-11-20T02:00:00Z');
const run = { runId, attempt: 2 };
const epoch = { runId, epoch: '2.3' } as const;
const dry = { ...epoch, isDry: true } as const;
const asked = { ...epoch, position: 1 };
const sent = { ...asked, hasSent: true } as const;
const ticket = { runId, droppedAt: '2026-11-20T01:59:00.000Z', name: 'a/devices.txt' };

/** A step in a few words: what is called, with its epoch and kind of job, and what comes before that. */
function said(step: Step | AskReply): string {
  switch (step.do) {
    case 'ended':
      return `ended ${step.state}`;
    case 'call': {
      const { epoch, kind, isDry, tries, finished } = step.input as Record<string, unknown>;
      const number = /^2\.(\d+)$/.exec(String(epoch))?.[1];
      const details = [kind, number, isDry && 'dry', tries && `tries ${tries}`, finished].filter(Boolean);
      return `${step.keepTurn ? 'keep turn, ' : ''}${[step.activity, ...details].join(' ')}`;
    }
    case 'wait':
      return `wait ${Math.round(step.seconds * 100) / 100}, ${said(step.next)}`;
    case 'turn': {
      const lost = step.lost === undefined ? '' : ` (lost: ${said(step.lost)})`;
      return `turn${step.ask.input['hasSent'] ? ' again' : ''}${lost}, ${said(step.next)}`;
    }
    case 'leave':
      return `leave, ${said(step.next)}`;
    case 'place':
      return `place ${step.hub}, ${said(step.next)}`;
    case 'pace':
      return `pace ${step.items}, ${said(step.next)}`;
    case 'lanes':
      return `lanes ${step.work.wave}, ${said(step.next)}`;
    case 'suspended':
      return 'suspended';
    case 'askAgain':
      return `ask again in ${step.seconds}`;
  }
}

/** A row: an activity, what it found, what it was called with; and the step that follows. */
const row = <Name extends StepName>(name: Name, result: Results[Name], input: Inputs[Name], expected: string) => ({
  name,
  found: JSON.stringify(result),
  expected,
  step: () => FLOW[name](result, input, NOW),
});

const start = (kind: Inputs['startJob']['kind'], tries = 0, more: object = {}): Inputs['startJob'] => ({
  ...epoch,
  ...more,
  kind,
  tries,
});
const look = (kind: Inputs['watchJob']['kind'], agoMs = 0, lookAt = NOW, more: object = {}): Inputs['watchJob'] => ({
  ...epoch,
  ...more,
  kind,
  since: NOW - agoMs,
  lookAt,
});
const started = { status: 'started' } as const;
const wait = { status: 'wait', seconds: 10 } as const;
const ready = { status: 'ready' } as const;
const anew = { status: 'anew' } as const;
const ended = { status: 'ended' } as const;
const work = { do: 'work', wave: 'devices', chunks: 3, width: 2, grant: 500, itemsPerMinute: 5_000 } as const;

const ROWS = [
  row('readOptions', { status: 'ready', hub: 'east', ticket }, run, 'place east, checkFile'),
  row('readOptions', { status: 'wait', seconds: 7 }, run, 'wait 7, readOptions'),
  row('readOptions', ended, run, 'ended ended'),

  row('checkFile', { next: 'job' }, run, 'turn, takePreImage 1'),
  row('checkFile', { next: 'plan' }, run, 'takePreImage 1 dry'),
  row('checkFile', { next: 'ended' }, run, 'ended ended'),

  row(
    'awaitTurn',
    { status: 'wait', next: { seconds: 3, standing: { position: 2, since: 1 } } },
    asked,
    'ask again in 3',
  ),
  row('awaitTurn', ended, asked, 'ended ended'),
  row('awaitTurn', { status: 'jobStarted' }, asked, 'wait 1, keep turn, watchJob import 3'),
  row('awaitTurn', ended, sent, 'followUp 3'),
  row('awaitTurn', { status: 'jobStarted' }, sent, 'followUp 3'),

  row('takePreImage', ready, epoch, 'fillLines 3'),
  row('takePreImage', ready, dry, 'planRun 3 dry'),
  row('takePreImage', { status: 'export' }, epoch, 'turn (lost: turn, takePreImage 4), startJob export 3'),
  row('takePreImage', { status: 'export' }, dry, 'turn, startJob export 3 dry'),
  row('takePreImage', anew, epoch, 'turn, takePreImage 4'),
  row('takePreImage', anew, dry, 'takePreImage 4 dry'),
  row('takePreImage', { status: 'wait' }, epoch, 'wait 10, keep turn, takePreImage 3'),
  row('takePreImage', { status: 'wait' }, dry, 'wait 10, takePreImage 3 dry'),
  row('takePreImage', ended, epoch, 'ended ended'),

  row('finishPreImage', ready, epoch, 'fillLines 3'),
  row('finishPreImage', ready, dry, 'leave, planRun 3 dry'),
  row('finishPreImage', { status: 'wait' }, epoch, 'wait 30, wait 1, keep turn, watchJob export 3'),
  row('finishPreImage', anew, epoch, 'turn, takePreImage 4'),
  row('finishPreImage', anew, dry, 'takePreImage 4 dry'),
  row('finishPreImage', ended, dry, 'ended ended'),

  row('fillLines', ready, epoch, 'turn (lost: turn, takePreImage 4), startJob import 3'),
  row('fillLines', anew, epoch, 'turn, takePreImage 4'),
  row('fillLines', ended, epoch, 'ended ended'),

  row('planRun', { state: 'completed' }, dry, 'ended completed'),
  row('planRun', { state: 'refused' }, dry, 'ended refused'),
  row('planRun', { state: 'anew' }, dry, 'takePreImage 4 dry'),

  row('startJob', started, start('import'), 'wait 1, keep turn, watchJob import 3'),
  row('startJob', started, start('export', 0, dry), 'wait 1, keep turn, watchJob export 3 dry'),
  row('startJob', started, start('verify'), 'wait 1, keep turn, watchJob verify 3'),
  row('startJob', wait, start('import'), 'wait 10, turn (lost: turn, takePreImage 4), startJob import 3 tries 1'),
  row('startJob', wait, start('export', 6), 'wait 23, turn (lost: turn, takePreImage 4), startJob export 3 tries 7'),
  row(
    'startJob',
    wait,
    start('export', 6, dry),
    'wait 23, turn (lost: takePreImage 4 dry), startJob export 3 dry tries 7',
  ),
  row('startJob', wait, start('retry', 40), 'wait 30, keep turn, startJob retry 3 tries 41'),
  row('startJob', anew, start('import'), 'turn, takePreImage 4'),
  row('startJob', anew, start('export', 0, dry), 'takePreImage 4 dry'),
  row('startJob', ended, start('import'), 'ended ended'),
  row('startJob', ended, start('export'), 'ended ended'),
  row('startJob', ended, start('retry'), 'turn again, followUp 3'),
  row('startJob', ended, start('parents'), 'turn again, followUp 3'),

  row('watchJob', { ended: false }, look('import'), 'wait 1, keep turn, watchJob import 3'),
  row('watchJob', { ended: false }, look('import', 40_000), 'wait 5, keep turn, watchJob import 3'),
  row('watchJob', { ended: false, progress: 99 }, look('export', 40_000), 'wait 2.5, keep turn, watchJob export 3'),
  row(
    'watchJob',
    { ended: false, isEarly: true },
    look('import', 9e6, NOW + 270_000),
    'wait 270, keep turn, watchJob import 3',
  ),
  row('watchJob', { ended: true }, look('import'), 'turn again, followUp 3'),
  row('watchJob', { ended: true }, look('verify'), 'turn again, followUp 3'),
  row('watchJob', { ended: true }, look('export'), 'finishPreImage 3'),
  row('watchJob', { ended: true }, look('export', 0, NOW, dry), 'finishPreImage 3 dry'),

  row('followUp', { do: 'settle' }, epoch, 'settleRun 3'),
  row('followUp', { do: 'settle' }, { ...epoch, finished: 'devices' }, 'settleRun 3'),
  row('followUp', { do: 'wait', seconds: 5 }, epoch, 'wait 5, turn again, followUp 3'),
  row('followUp', { do: 'job', kind: 'retry' }, epoch, 'keep turn, startJob retry 3'),
  row('followUp', work, epoch, 'lanes devices, turn again, followUp 3 devices'),
  row('followUp', { do: 'notEnded' }, epoch, 'wait 30, wait 1, keep turn, watchJob import 3'),
  row('followUp', { do: 'ended' }, epoch, 'ended ended'),

  row('settleRun', { state: 'completedWithFailures' }, epoch, 'ended completedWithFailures'),
  row('settleRun', { state: 'notEnded' }, epoch, 'wait 30, wait 1, keep turn, watchJob import 3'),
  row('failRun', { state: 'failed' }, { runId, message: 'storage is away' }, 'ended failed'),
];

describe('what follows what in a provisioning run', () => {
  it('begins with its options', () => {
    expect(said(beginProvisioning(run))).toBe('readOptions');
  });

  it.each(ROWS)('$name found $found: $expected', ({ step, expected }) => {
    expect(said(step())).toBe(expected);
  });

  it('hands on neither lines nor secrets: each step is a few hundred bytes', () => {
    for (const { name, step } of ROWS) expect([name, JSON.stringify(step()).length < 900]).toEqual([name, true]);
  });
});

describe('what a run does that was suspended before a step, once it is resumed', () => {
  const resumed = <Name extends StepName>(name: Name, input: Inputs[Name], expected: string) => ({
    name,
    expected,
    step: () => resumedStep(name, input),
  });

  it.each([
    resumed('readOptions', run, 'readOptions'),
    resumed('checkFile', run, 'checkFile'),
    resumed('awaitTurn', asked, 'turn, takePreImage 3'),
    resumed('awaitTurn', sent, 'turn again, followUp 3'),
    // Others may have had their turn meanwhile, and have changed its devices.
    resumed('takePreImage', epoch, 'turn, takePreImage 4'),
    resumed('takePreImage', dry, 'takePreImage 4 dry'),
    resumed('finishPreImage', epoch, 'turn, takePreImage 4'),
    resumed('fillLines', epoch, 'turn, takePreImage 4'),
    resumed('startJob', start('import', 5), 'turn, takePreImage 4'),
    resumed('startJob', start('export', 5), 'turn, takePreImage 4'),
    // After the import only the turn is lost.
    resumed('startJob', start('retry', 5), 'turn again, followUp 3'),
    resumed('followUp', { ...epoch, finished: 'devices' }, 'turn again, followUp 3'),
    resumed('settleRun', epoch, 'turn again, followUp 3'),
    resumed('planRun', dry, 'planRun 3 dry'),
  ])('$name: $expected', ({ step, expected }) => {
    expect(said(step())).toBe(expected);
  });
});
