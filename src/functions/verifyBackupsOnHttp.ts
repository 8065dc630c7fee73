import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('verifyBackupsOnHttp', {
  route: 'backups/verify',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/verifyBackupsOnHttp.ts')).verifyBackupsOnHttp(request, context),
});
