import { app } from '@azure/functions';

app.http('deviceOnHttp', {
  route: 'devices/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/deviceOnHttp.ts')).deviceOnHttp(request),
});
