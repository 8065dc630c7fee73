import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('pruneBackupsOnHttp', {
  route: 'backups/prune',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/pruneBackupsOnHttp.ts')).pruneBackupsOnHttp(request, context),
});
