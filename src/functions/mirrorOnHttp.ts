import { app } from '@azure/functions';

app.http('mirrorOnHttp', {
  route: 'mirror',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request) => (await import('../handlers/mirrorOnHttp.ts')).mirrorOnHttp(request),
});
