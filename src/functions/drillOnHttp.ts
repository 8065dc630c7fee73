import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('drillOnHttp', {
  route: 'drills',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) => (await import('../handlers/drillOnHttp.ts')).drillOnHttp(request, context),
});
