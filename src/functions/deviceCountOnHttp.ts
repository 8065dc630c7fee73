import { app } from '@azure/functions';

app.http('deviceCountOnHttp', {
  route: 'devices/count',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/deviceCountOnHttp.ts')).deviceCountOnHttp(request),
});
