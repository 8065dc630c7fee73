import { app } from '@azure/functions';

const load = () => import('../handlers/healthOnHttp.ts');

app.http('healthOnHttp', {
  route: 'health',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request, context) => (await load()).healthOnHttp(request, context),
});

app.hook.appStart(() => {
  // Not awaited: a hub that does not answer must not hold up the start.
  void load().then(({ lookAround }) => lookAround());
});
