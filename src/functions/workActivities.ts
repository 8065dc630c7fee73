import { registerActivity } from '../hosting/registerActivity.ts';
import type { AskInput } from '../lib/runs/step.ts';
import type { StageInput } from '../lib/work/stage.ts';
import { FAIL_WORK, WORK_STAGE, WORK_TURN } from '../lib/work/workSteps.ts';

const load = () => import('../handlers/workActivities.ts');

registerActivity<StageInput>(WORK_STAGE, true, async (input, invocation) =>
  (await load()).stageOfWork(input, invocation),
);
registerActivity<AskInput>(WORK_TURN, true, async (input, invocation) => (await load()).turnOfWork(input, invocation));
registerActivity<{ readonly runId: string; readonly message: string }>(FAIL_WORK, true, async (input, invocation) =>
  (await load()).failureOfWork(input, invocation),
);
