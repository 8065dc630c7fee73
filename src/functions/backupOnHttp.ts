import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('backupOnHttp', {
  route: 'backups',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) => (await import('../handlers/backupOnHttp.ts')).backupOnHttp(request, context),
});
