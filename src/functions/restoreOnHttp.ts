import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('restoreOnHttp', {
  route: 'restores',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) => (await import('../handlers/restoreOnHttp.ts')).restoreOnHttp(request, context),
});
