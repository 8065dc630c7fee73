import { app } from '@azure/functions';

app.http('deviceByIdOnHttp', {
  route: 'device',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/deviceByIdOnHttp.ts')).deviceByIdOnHttp(request),
});
