import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';

import { defined } from '../lib/defined.ts';
import { checkHub, checkStorage, type HealthCheck } from '../lib/health.ts';
import type { Logger } from '../lib/logger.ts';
import { safeError } from '../lib/redact.ts';
import { ensureContainer } from '../lib/storage/ensureContainer.ts';
import { BACKUPS_CONTAINER, RESULTS_CONTAINER, RUNS_CONTAINER } from '../lib/storage/storage.ts';
import { backupChecks, hub, loggerOf, mirrorHealth, settings, storage } from '../services.ts';

async function allChecks(): Promise<HealthCheck[]> {
  return Promise.all([
    checkStorage(storage, settings.provisionContainer),
    ...[...settings.hubs.keys()].map((alias) => checkHub(alias, hub(alias))),
  ]);
}

/** How the backups of each hub stand, and the check that says so. */
async function allBackups(log: Logger): Promise<{ readonly checks: HealthCheck[]; readonly backups: object }> {
  try {
    const backups = await backupChecks.check(log);
    const checks = backups.map(({ hub: alias, overdue, problem }) => ({
      name: `backups ${alias}`,
      ok: !overdue,
      ...defined({ problem }),
    }));
    return { checks, backups: backups.map(({ problem: _problem, ...backup }) => backup) };
  } catch (error) {
    return { checks: [{ name: 'backups', ok: false, problem: safeError(error).message }], backups: [] };
  }
}

/** How the mirror stands, and the check that says so; nothing of one that is off. */
async function ofMirror(): Promise<{ readonly checks: HealthCheck[]; readonly mirror?: object }> {
  if (mirrorHealth === undefined) return { checks: [] };
  const { status, ...check } = await mirrorHealth();
  return { checks: [check], ...defined({ mirror: status }) };
}

/**
 * `GET /api/health`: 200 when storage and every hub can be worked with, no backup is overdue and the mirror keeps up, else
 * 503; `checks` says what is wrong, `backups` how those of each hub stand, `mirror` how the mirror does.
 */
export async function healthOnHttp(_request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const [parts, { checks: ofBackups, backups }, { checks: more, ...mirror }] = await Promise.all([
    allChecks(),
    allBackups(loggerOf(context)),
    ofMirror(),
  ]);
  const checks = [...parts, ...ofBackups, ...more];
  const healthy = checks.every((check) => check.ok);
  const body = { status: healthy ? 'healthy' : 'unhealthy', checks, backups, ...mirror };
  return { status: healthy ? 200 : 503, jsonBody: body };
}

/** Makes the containers where that is allowed, and names what is wrong with storage and hubs once, at start. */
export async function lookAround(): Promise<void> {
  const log = loggerOf(console);
  for (const name of [settings.provisionContainer, RESULTS_CONTAINER, RUNS_CONTAINER, BACKUPS_CONTAINER]) {
    // Without the right to create containers they must exist already: the checks below say so if they do not.
    await ensureContainer(storage.container(name)).catch(() => undefined);
  }
  for (const check of await allChecks()) {
    if (!check.ok) log.log('warn', `${check.name}: ${check.problem}`);
  }
  await allBackups(log);
}
