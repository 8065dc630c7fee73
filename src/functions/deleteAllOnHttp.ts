import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('deleteAllOnHttp', {
  route: 'delete-all',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/deleteAllOnHttp.ts')).deleteAllOnHttp(request, context),
});
