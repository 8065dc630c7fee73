import { app } from '@azure/functions';

app.http('runsOnHttp', {
  route: 'runs',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/runsOnHttp.ts')).runsOnHttp(request),
});
