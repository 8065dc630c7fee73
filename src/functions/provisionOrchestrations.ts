import { app } from 'durable-functions';

import { ORCHESTRATIONS } from '../orchestrations/instanceIds.ts';
import { provisionJobStart, provisionJobWatch } from '../orchestrations/provisionJob.ts';
import { provisionRun } from '../orchestrations/provisionRun.ts';
import { provisionTurn } from '../orchestrations/provisionTurn.ts';

app.orchestration(ORCHESTRATIONS.provisionRun, provisionRun);
app.orchestration(ORCHESTRATIONS.provisionTurn, provisionTurn);
app.orchestration(ORCHESTRATIONS.provisionJobStart, provisionJobStart);
app.orchestration(ORCHESTRATIONS.provisionJobWatch, provisionJobWatch);
