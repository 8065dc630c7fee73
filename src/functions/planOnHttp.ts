import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('planOnHttp', {
  route: 'plans',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) => (await import('../handlers/planOnHttp.ts')).planOnHttp(request, context),
});
