import { app } from 'durable-functions';

import { ORCHESTRATIONS, SUPERSEDED } from '../orchestrations/instanceIds.ts';
import { lane } from '../orchestrations/lane.ts';
import { mirrorRefresh } from '../orchestrations/mirrorRefresh.ts';
import { run } from '../orchestrations/run.ts';
import { superseded } from '../orchestrations/superseded.ts';

app.orchestration(ORCHESTRATIONS.run, run);
app.orchestration(ORCHESTRATIONS.lane, lane);
app.orchestration(ORCHESTRATIONS.mirrorRefresh, mirrorRefresh);
for (const name of SUPERSEDED) app.orchestration(name, superseded);
