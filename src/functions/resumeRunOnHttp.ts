import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('resumeRunOnHttp', {
  route: 'runs/{runId}/resume',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/resumeRunOnHttp.ts')).resumeRunOnHttp(request, context),
});
