import { settings } from '../appSettings.ts';
import { registerActivity } from '../hosting/registerActivity.ts';
import { type Inputs, STEP_NAMES, type StepName } from '../lib/provisioning/steps/flow.ts';
import type { ChunkInput } from '../lib/provisioning/steps/workChunk.ts';

const load = () => import('../handlers/provisionActivities.ts');

/** Activities that look at durable instances. */
const USE_CLIENT: ReadonlySet<StepName> = new Set<StepName>(['awaitTurn']);

/** The mirror is refreshed once a run has ended. */
const isMirrored = settings.mirror !== undefined;

for (const name of STEP_NAMES) {
  registerActivity<Inputs[StepName]>(name, isMirrored || USE_CLIENT.has(name), async (input, invocation) =>
    (await load()).provisionStep(name, input, invocation),
  );
}
registerActivity<ChunkInput>('workChunk', isMirrored, async (input, invocation) =>
  (await load()).chunkStep(input, invocation),
);
