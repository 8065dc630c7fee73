import { app } from '@azure/functions';

import { safeError } from '../lib/redact.ts';

const load = () => import('../handlers/healthOnHttp.ts');

app.http('healthOnHttp', {
  route: 'health',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request, context) => (await load()).healthOnHttp(request, context),
});

app.hook.appStart(() => {
  // Not awaited: a hub that does not answer must not hold up the start.
  load()
    .then(({ lookAround }) => lookAround())
    .catch((error: unknown) => console.error(safeError(error).message));
});
