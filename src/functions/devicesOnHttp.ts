import { app } from '@azure/functions';

app.http('devicesOnHttp', {
  route: 'devices',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/devicesOnHttp.ts')).devicesOnHttp(request),
});
