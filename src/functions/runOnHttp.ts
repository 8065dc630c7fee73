import { app } from '@azure/functions';

app.http('runOnHttp', {
  route: 'runs/{runId}',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/runOnHttp.ts')).runOnHttp(request),
});
