import { app } from '@azure/functions';

app.http('backupsOnHttp', {
  route: 'backups',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/backupsOnHttp.ts')).backupsOnHttp(request),
});
