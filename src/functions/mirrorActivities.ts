import { registerActivity } from '../hosting/registerActivity.ts';
import { REFRESH_STEP } from '../lib/mirror/refresh/refreshPlan.ts';
import type { RefreshInput } from '../lib/mirror/refresh/refreshStep.ts';

registerActivity<RefreshInput>(REFRESH_STEP, false, async (input, invocation) =>
  (await import('../handlers/mirrorActivities.ts')).refreshOfMirror(input, invocation),
);
