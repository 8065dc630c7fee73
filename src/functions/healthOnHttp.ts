import { app, type HttpResponseInit } from '@azure/functions';

import { checkHub, checkStorage, type HealthCheck } from '../lib/health.ts';
import { ensureContainer } from '../lib/storage/ensureContainer.ts';
import { BACKUPS_CONTAINER, RESULTS_CONTAINER, RUNS_CONTAINER } from '../lib/storage/storage.ts';
import { hub, loggerOf, settings, storage } from '../services.ts';

async function allChecks(): Promise<HealthCheck[]> {
  return Promise.all([
    checkStorage(storage, settings.provisionContainer),
    ...[...settings.hubs.keys()].map((alias) => checkHub(alias, hub(alias))),
  ]);
}

/** `GET /api/health`: 200 when storage and every hub can be worked with, else 503; `checks` says what is wrong. */
export async function healthOnHttp(): Promise<HttpResponseInit> {
  const checks = await allChecks();
  const healthy = checks.every((check) => check.ok);
  return { status: healthy ? 200 : 503, jsonBody: { status: healthy ? 'healthy' : 'unhealthy', checks } };
}

app.http('healthOnHttp', { route: 'health', methods: ['GET'], authLevel: 'function', handler: healthOnHttp });

/** Makes the containers where that is allowed, and names what is wrong with storage and hubs once, at start. */
async function lookAround(): Promise<void> {
  const log = loggerOf(console);
  for (const name of [settings.provisionContainer, RESULTS_CONTAINER, RUNS_CONTAINER, BACKUPS_CONTAINER]) {
    // Without the right to create containers they must exist already: the checks below say so if they do not.
    await ensureContainer(storage.container(name)).catch(() => undefined);
  }
  for (const check of await allChecks()) {
    if (!check.ok) log.log('warn', `${check.name}: ${check.problem}`);
  }
}

app.hook.appStart(() => {
  // Not awaited: a hub that does not answer must not hold up the start.
  void lookAround();
});
