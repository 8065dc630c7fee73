import { type CodeText, speakerOf } from '../codeText.ts';

/** Why work of any kind ends before it is done. */
export const WORK_TEXTS = {
  cancelled: { says: 'The run was cancelled before it was done.', action: 'Start it again if it is still wanted.' },
  turnTimeout: {
    says: 'The run waited for its turn on the hub for {hours} hours; {ahead}. It has changed nothing.',
    action: 'See to the runs ahead of it, then start it again; or raise TURN_TIMEOUT_HOURS.',
    retried: true,
  },
  'turnTimeout:applied': {
    says: 'The run waited for its turn on the hub for {hours} hours; {ahead}. What it had changed by then stays.',
    action: 'See to the runs ahead of it; or raise TURN_TIMEOUT_HOURS.',
    retried: true,
  },
  stageFailed: {
    says: 'A step of the run failed again and again: {error}',
    action: 'Look at the logs of the app, then start it again.',
    retried: true,
  },
  'stageFailed:applying': {
    says: 'A step of the run failed again and again: {error} The run {run}, which applies its lines, was cancelled with it: a part of them may be applied.',
    action:
      'Wait for the end of run {run}, and look at its report and at the logs of the app; then start this one again.',
    retried: true,
  },
  exportNotCompleted: {
    says: 'The export job of the hub {why}.',
    action: 'Look at the job in the hub, then start it again.',
  },
  exportOverdue: {
    says: 'The export job did not end by its deadline ({deadline}).',
    action: 'Look at the job in the hub; once it has ended, start the run again.',
  },
  requestInvalid: {
    says: 'The request cannot be taken: {problem}.',
    action: 'Correct it and send it again.',
    doc: { says: 'The body of the request is no JSON, or a member of it is missing, unknown or of a wrong kind.' },
  },
  notConfirmed: {
    says: 'This writes to the hub {hub}, and was not confirmed with its name.{given} Nothing was changed.',
    action: 'Confirm it with the name of the hub: {hub}.',
  },
  hubBeingChanged: {
    says: 'The hub {hub} is being changed already: run {run} ({what}) has not ended. Nothing was begun.',
    action: 'Wait for its end, or end it: hubkeeper cancel {run}. Then look at the plan anew.',
  },
  otherHub: {
    says: 'The run began on the hub {was}, and {alias} is {name} now. The run has changed nothing there.',
    action: 'Configure that hub again under this alias (IOTHUB, IOTHUB__<alias>), then start the run again.',
  },
  applyFailed: {
    says: 'The run {run}, which applies the lines, ended as "{state}".',
    action: 'Look at that run.',
  },
} as const satisfies Record<string, CodeText>;

export const workError = speakerOf(WORK_TEXTS);
