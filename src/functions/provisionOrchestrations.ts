import { app } from 'durable-functions';

import { ORCHESTRATIONS } from '../orchestrations/instanceIds.ts';
import { provisionAftermath } from '../orchestrations/provisionAftermath.ts';
import { provisionJobStart, provisionJobWatch } from '../orchestrations/provisionJob.ts';
import { provisionLane } from '../orchestrations/provisionRound.ts';
import { provisionRun } from '../orchestrations/provisionRun.ts';
import { provisionTurn } from '../orchestrations/provisionTurn.ts';

app.orchestration(ORCHESTRATIONS.provisionRun, provisionRun);
app.orchestration(ORCHESTRATIONS.provisionTurn, provisionTurn);
app.orchestration(ORCHESTRATIONS.provisionJobStart, provisionJobStart);
app.orchestration(ORCHESTRATIONS.provisionJobWatch, provisionJobWatch);
app.orchestration(ORCHESTRATIONS.provisionAftermath, provisionAftermath);
app.orchestration(ORCHESTRATIONS.provisionLane, provisionLane);
