import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('reconcileOnHttp', {
  route: 'mirror/reconcile',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/reconcileOnHttp.ts')).reconcileOnHttp(request, context),
});
